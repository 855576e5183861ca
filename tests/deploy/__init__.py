"""A deploy, rehearsed: an old and a new release of the service side by side, with residents in the middle of things.

``python -m tests.deploy``; what it does and what came of it: ``docs/reliability.md``.
"""
