"""Lists in queries: what they find, and how many statements they are."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.services.ledger import tables as t
from bot.services.ledger.base import among

NUMBERS = [f"n{number}" for number in range(9)]


async def _found(engine: AsyncEngine, wanted: list[str], *, not_them: bool = False) -> set[str]:
    condition = among(t.audit.c.what, wanted)
    async with engine.connect() as connection:
        rows = await connection.execute(select(t.audit.c.what).where(~condition if not_them else condition))
        return set(rows.scalars())


async def test_a_list_finds_what_it_names_and_nothing_else(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for name in NUMBERS:
            await connection.execute(t.audit.insert().values(at=1, who="w", what=name, about=""))
    for many in range(len(NUMBERS) + 1):
        assert await _found(engine, NUMBERS[:many]) == set(NUMBERS[:many])
        assert await _found(engine, NUMBERS[:many], not_them=True) == set(NUMBERS[many:])


@pytest.mark.parametrize(
    ("many", "asked"), [(0, 0), (1, 1), (2, 2), (3, 4), (5, 8), (513, 1024), (1024, 1024), (1025, 1025)]
)
def test_lists_of_many_lengths_are_few_statements(many: int, asked: int) -> None:
    condition = among(t.audit.c.id, range(many))
    (values,) = condition.compile().params.values()
    assert len(values) == asked
    assert set(values) == set(range(many))
