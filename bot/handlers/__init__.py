"""Channels: each turns its own updates into events and outgoing messages into its own calls."""
