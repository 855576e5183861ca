"""The eight turns of `bench.telegram` through the web chat: README.md."""
