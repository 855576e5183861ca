"""Who may do what to whom: the table holds every operation, and the gate holds the table."""

from collections.abc import AsyncGenerator
from datetime import date
from pathlib import Path

import httpx
import msgspec
import pytest

from bot.dialogs import dialogs
from bot.dialogs.home import Operator
from bot.domain import Relation
from bot.errors import Forbidden, Unavailable, Unsigned
from bot.model import Chat
from bot.ports import Asked, Effect
from bot.sandbox.faults import Faults
from bot.sandbox.people import Person, by_civil_id, by_index
from bot.sandbox.recorded import Recorded
from bot.sandbox.registry import registry_app
from bot.sandbox.relations import dependants, users_bodies, workers
from bot.services.authority import RULES, Reach, Rule, check, guarded
from bot.services.registry import Registry
from bot.services.seldom import Seldom
from bot.spec import Do
from tests.sandbox.kit import BUSY, CLEAN, JOURNEY_A, NOON, SINGLE, TOKEN, FakeClock

SPONSOR, STRANGER = JOURNEY_A, CLEAN
TODAY = date(2026, 11, 21)


class Renew(Effect, frozen=True, tag="renew_of_these_tests"):
    """An operation on a person."""

    civil_id: str


def rule(*relations: Relation) -> Rule:
    return Rule(
        reach=Reach.PERSON,
        why="test",
        persons=lambda effect: (str(effect.civil_id),),
        relations=frozenset(relations),
    )


def asked(actor: str = "") -> Asked:
    return Asked("k", Chat("test", "1"), "ar", actor)


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncGenerator[Registry, None]:
    clock, recorded = FakeClock(), Recorded(tmp_path / "registry.sqlite3")
    app = registry_app(clock, TOKEN, Faults(0, 0), recorded)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    transport = httpx.ASGITransport(app=app)
    async with Seldom(transport=transport, base_url="http://registry/", headers=headers) as client:
        yield Registry(client, clock, timeout=5)
    recorded.close()
    assert clock.now() >= NOON


def test_every_operation_of_every_dialog_has_a_rule_with_a_reason() -> None:
    used = {
        state.effect
        for dialog in dialogs(Operator())
        for state in dialog.states.values()
        if isinstance(state, Do)
    }
    assert used == set(RULES), "a rule is missing, or is for nothing"
    for effect, found in RULES.items():
        assert found.why, effect
        assert (found.persons is not None) >= bool(found.relations), effect
        assert found.reach in {Reach.PERSON, Reach.NAMED} or not found.relations, effect


def test_an_operation_without_a_rule_stops_the_start() -> None:
    async def run(_effect: Effect, _asked: Asked) -> None:
        raise AssertionError

    with pytest.raises(LookupError, match="Renew"):
        guarded({Renew: run}, None, {})  # type: ignore[arg-type]


async def test_the_gate_lets_nothing_through_that_it_should_not(registry: Registry) -> None:
    done: list[str] = []

    async def run(effect: Renew, by: Asked) -> str:
        done.append(by.actor)
        return effect.civil_id

    gate = guarded({Renew: run}, registry, {Renew: rule(Relation.SPONSOR)})[Renew]
    with pytest.raises(Unsigned):
        await gate(Renew(SPONSOR), asked())
    with pytest.raises(Forbidden):
        await gate(Renew(SPONSOR), asked(STRANGER))
    assert done == []
    assert await gate(Renew(SPONSOR), asked(SPONSOR)) == SPONSOR
    assert done == [SPONSOR]


async def test_a_sponsor_acts_for_dependants_and_not_the_other_way_round(registry: Registry) -> None:
    sponsor = by_civil_id(SPONSOR, TODAY)
    assert sponsor is not None
    family = dependants(sponsor, TODAY)
    assert family
    for person in family:
        await check(rule(Relation.SPONSOR), Renew(person.civil_id), asked(SPONSOR), registry)
        with pytest.raises(Forbidden):  # the right is there, and the rule wants another one
            await check(rule(Relation.COMPANY), Renew(person.civil_id), asked(SPONSOR), registry)
        with pytest.raises(Forbidden):
            await check(rule(Relation.SPONSOR), Renew(person.civil_id), asked(STRANGER), registry)


async def test_an_authorised_user_acts_for_the_workers_of_their_own_body(registry: Registry) -> None:
    user, body = next(
        (found, body)
        for serial in range(2000)
        if (found := _issued(serial)) is not None
        for body in users_bodies(found, TODAY)[:1]
        if not body.government
    )
    worker = workers(body.number, TODAY)[0]
    await check(rule(Relation.COMPANY), Renew(worker.civil_id), asked(user.civil_id), registry)
    with pytest.raises(Forbidden):
        await check(rule(Relation.GOVERNMENT), Renew(worker.civil_id), asked(user.civil_id), registry)
    with pytest.raises(Forbidden):
        await check(rule(Relation.COMPANY), Renew(worker.civil_id), asked(SINGLE), registry)


async def test_records_that_do_not_answer_let_nobody_through(registry: Registry) -> None:
    with pytest.raises(Unavailable):
        await check(rule(Relation.SPONSOR), Renew(SPONSOR), asked(BUSY), registry)


async def test_words_nobody_knows_are_no_rights() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        body = msgspec.json.encode({"relations": ["landlord", "sponsor"]})
        return httpx.Response(200, content=body, headers={"content-type": "application/json"})

    transport = httpx.MockTransport(answer)
    async with Seldom(transport=transport, base_url="http://registry/") as client:
        found = await Registry(client, FakeClock(), timeout=5).relations(SPONSOR, STRANGER)
    assert found == {Relation.SPONSOR}


def _issued(serial: int) -> Person | None:

    return by_index(65_000 * 10_000 + serial)
