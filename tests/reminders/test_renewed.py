"""A renewal paid here moves its reminders by itself, as soon as the registry has recorded it."""

from typing import Any

from bot.dialogs.reminders import Remind, Wanted
from bot.dialogs.reminders.consent import CURRENT
from bot.ports import Asked
from bot.residency.reminding import Kind
from bot.services.reminders import Reminders
from tests.payments.world import HERE, World, renewal
from tests.reminders.keeper import FATHER, SON, WIFE, FakeFiles, father, in_days, son, wife

BEFORE = in_days(45).isoformat()


async def reminded(world: World) -> None:
    """Of the wife's and the son's residency, and of her passport."""
    files = FakeFiles(files={FATHER: (father(), wife(), son())})
    reminders = Reminders(ledger=world.ledger, files=files, keyring=world.keyring, clock=world.clock)
    wanted = Wanted(WIFE, (Kind.RESIDENCY, Kind.PASSPORT)), Wanted(SON, (Kind.RESIDENCY,))
    await reminders.remember(Remind(wanted, CURRENT.version), Asked("a", HERE, "ar", FATHER))


async def days(world: World) -> dict[tuple[str, str], Any]:
    return {(row["permit"], row["kind"]): row["last_day"] for row in await world.rows("reminders")}


async def test_what_is_recorded_moves_and_nothing_else(world: World) -> None:
    await reminded(world)
    link = await world.open(renewal("2"), key="7:0")
    assert await days(world) == {
        ("P-2", "residency"): BEFORE,
        ("P-2", "passport"): "2030-01-01",
        ("P-3", "residency"): BEFORE,
    }
    await world.pay(link)
    assert await days(world) == {
        ("P-2", "residency"): "2028-12-31",
        ("P-2", "passport"): "2030-01-01",
        ("P-3", "residency"): BEFORE,
    }


async def test_what_the_registry_refuses_or_has_not_heard_moves_nothing(world: World) -> None:
    await reminded(world)
    world.registry.down = True
    await world.pay(await world.open(renewal("2"), key="7:0"))
    assert (await days(world))["P-2", "residency"] == BEFORE
    world.registry.down, world.registry.refuses = False, "amount_differs"
    world.clock.advance(3600)
    await world.orders.sweep()
    assert (await days(world))["P-2", "residency"] == BEFORE
