"""The fault run: whole processes of the service, residents who walk through it, and everything else breaking.

``python -m tests.chaos --help``; docs/reliability.md says what it shows.
"""
