import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.services.receipts import Printer
from tests.ledger.databases import database_url, engine, postgres, template
from tests.receipts.desk import Office

__all__ = ["database_url", "engine", "office", "postgres", "printer", "renderer", "template"]


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer(Catalog())


@pytest.fixture(scope="session")
def printer(renderer: Renderer) -> Printer:
    return Printer(renderer)


@pytest.fixture
def office(engine: AsyncEngine, printer: Printer) -> Office:
    return Office(engine, printer)
