"""A list in the resident's copy of their data, under rotating keys."""

import json
from collections.abc import Sequence
from typing import Any

from bot.crypto import Keyring, rotated
from bot.dialogs.company.effects import QuoteBatch
from bot.model import Chat, Session
from bot.services.ledger.resealing import reseal
from bot.services.privacy import Exports
from tests.batches.world import COMPANY, ELSEWHERE, HERE, ONE, World, listed, staff


class Nothing:
    """A chat that has only a list."""

    async def session(self, chat: Chat) -> Session:
        del chat
        return Session()

    async def log(self, chat: Chat) -> list[bytes]:
        del chat
        return []

    async def keys(self, chat: Chat) -> Sequence[Any]:
        del chat
        return ()


async def copy(world: World, chat: Chat, language: str = "en") -> dict[str, Any]:
    """The chat's file, kind by kind."""
    exports = Exports(
        ledger=world.ledger,
        memory=Nothing(),
        keyring=world.keyring,
        clock=world.clock,
        base_url="https://i.example",
    )
    url, _ = exports.link(chat, language)
    content = await exports.open(url.rpartition("/")[2].removesuffix(".json"))
    assert content is not None
    return {kind["kind"]: kind for kind in json.loads(content)["kept"]}


def fields(entry: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["field"]: each["value"] for each in entry}


async def test_the_copy_has_every_row_with_what_was_said_of_it(world: World) -> None:
    workers = staff(COMPANY)
    batch = await world.checked(listed([*workers, "285011500028"]))
    quote = await world.batches.quote(QuoteBatch(COMPANY, batch.ref, 1), world.asked())
    await world.checked(listed(workers[:1]), asked=world.asked(ONE, ELSEWHERE))
    found = await copy(world, HERE)
    (told,) = [fields(entry) for entry in found["batches"]["entries"]]
    assert (told["ref"], told["total"], told["ready"]) == (batch.ref, batch.total, batch.ready)
    rows = [fields(entry) for entry in found["batch_parts"]["entries"]]
    assert [row["number"] for row in rows] == [*workers, "285011500028"]
    assert [row["answers"]["civil_id"] for row in rows[:-1]] == list(workers)
    assert rows[-1]["answers"] is None
    (price,) = [fields(entry) for entry in found["batch_baskets"]["entries"]]
    assert (price["ref"], price["fils"]) == (quote.ref, quote.fils)
    named = {
        each["field"]: each["name"] for each in (await copy(world, HERE, "ar"))["batch_parts"]["entries"][0]
    }
    assert named["line"] == "الصف"


async def test_a_list_that_is_not_checked_yet_is_in_the_copy(world: World) -> None:
    with world.away():
        await world.checked(listed(staff(COMPANY)))
    rows = [fields(entry) for entry in (await copy(world, HERE))["batch_parts"]["entries"]]
    assert [row["answers"] for row in rows] == [None] * len(staff(COMPANY))


async def test_lists_follow_the_keys(world: World) -> None:
    """After a rotation everything is under the new key; without the old one the list still is what it was."""
    ring = Keyring.generate()
    world.keyring = Keyring.parse(ring)
    world.batches = world.another()
    await world.checked(listed(staff(COMPANY)))
    newer = rotated(ring)
    changed = await reseal(world.ledger, Keyring.parse(newer))
    assert changed == 3, "whose it is, the rows, what was said"
    index, _, keys = newer.partition(":")
    world.keyring = Keyring.parse(f"{index}:{keys.split(',')[0]}")
    assert len((await copy(world, HERE))["batch_parts"]["entries"]) == len(staff(COMPANY))
