from tests.ledger.databases import database_url, engine, postgres, template

__all__ = ["database_url", "engine", "postgres", "template"]
