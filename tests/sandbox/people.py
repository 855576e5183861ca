"""What the tests of residencies share: asking for them, days, the cast by its cases."""

from datetime import date, datetime
from typing import Any

import httpx
import msgspec

from bot.clock import KUWAIT, local
from bot.residency import assess
from bot.residency.facts import Permit
from bot.residency.verdict import Block, Candidate
from bot.services.registry import answers
from tests.sandbox.kit import FakeClock

SELF_SPONSOR, TROUBLED, LATE, CITIZEN = "279051704121", "276100302556", "283020807189", "271031406032"
ONE_COMPANY, SEVERAL = "274090908407", "281072203302"
WAHA, LARGE, GARDENS = "310000012", "371828183", "310000079"
DAYS = ["2026-11-21", "2026-12-31", "2027-02-28", "2028-01-19", "2028-02-29", "2031-08-30"]

Desk = httpx.AsyncClient


async def ask(desk: Desk, path: str, **asked: Any) -> Any:
    content = msgspec.json.encode(asked)
    response = await desk.post(f"/{path}", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 200, response.text
    return response.json()


async def permits(desk: Desk, path: str, **asked: Any) -> list[Permit]:
    """The residencies of an answer, read as the client reads them."""
    said = await ask(desk, path, **asked)
    return [answers.permit(msgspec.convert(each, answers.PermitAnswer)) for each in said["permits"]]


async def family(desk: Desk, sponsor: str) -> list[Permit]:
    return await permits(desk, "families/search", sponsor=sponsor)


async def standing(desk: Desk, clock: FakeClock, sponsor: str) -> list[Candidate]:
    return [assess(permit, today(clock)) for permit in await family(desk, sponsor)]


def today(clock: FakeClock) -> date:
    return local(clock.now()).date()


def move(clock: FakeClock, day: str, hour: int = 12) -> None:
    """Make it ``hour`` o'clock on ``day`` in Kuwait."""
    on = date.fromisoformat(day)
    clock.at = datetime(on.year, on.month, on.day, hour, tzinfo=KUWAIT).timestamp()


def blocks(candidate: Candidate) -> set[Block]:
    return {barrier.block for barrier in candidate.barriers}
