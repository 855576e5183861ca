"""The soak: the whole service under steady load for an hour, and whether anything in it grows.

``python -m bench.soak --help``; docs/reliability.md says what it shows.
"""
