"""The service at the size of 4 million and of 100 million residents, measured and simulated: ``python -m bench.scale``."""
