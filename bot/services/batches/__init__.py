"""Batches: a file with many workers becomes a verdict for each of them, and one price for those who can be renewed."""
