from tests.hardening.conftest import public, site, valkey

__all__ = ["public", "site", "valkey"]
