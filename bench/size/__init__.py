"""What a turn and the rounds cost as the store grows, and as processes are added. Run: ``python -m bench.size``."""
