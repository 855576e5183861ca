"""Peer benchmark: what a turn costs here and in bot frameworks. See README.md."""
