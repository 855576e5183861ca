"""Counterparts of the real gateways, on loopback: written from their documents, never from our clients."""
