"""The release after this one: what is laid over a copy of `bot` (`tests.deploy.releases`)."""
