"""A soak: a first round to fill what is bounded, rest, the steady load, rest; samples all the while."""

import asyncio
import random
import sys
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, cast

from bench.soak import measure
from bench.soak.residents import AUTHORISED, FILLERS, FILLING, HABITS, PLANS, Habits, Resident, shut
from bench.soak.verdict import Record
from bench.soak.world import World, world
from bot.clock import SystemClock, local
from tests.chaos import people
from tests.chaos.doors import Door, Net, TelegramDoor, WebDoor
from tests.chaos.walker import Plan

_GUESS: Final = (20, 4.0)
"""Walks that are thought to have taken so many updates each, before any has."""
_PATIENCE: Final = 300.0
"""Seconds for one walk."""
_THINK: Final = 1.5
"""Seconds over a question, at most: a sign-in lasts five minutes of the hurried clock."""
_ADDRESSES: Final = 1000
"""Network addresses residents share, as those of mobile networks do."""
_COMPANIES: Final = 0.02
_KNOWN: Final = 0.25
"""Shares: who comes with a list; who has been here before."""
_GREETERS: Final = 50_000_000
"""The first number of chats that only greet."""
_AT_ONCE: Final = 8
_HELLO: Final = 30.0
"""Seconds for the answer to a greeting."""
_TWICE: Final = 0.02
"""Share of updates that are brought twice."""
_OUTBOX: Final = 60.0


@dataclass(frozen=True)
class Size:
    """How much of everything.

    Attributes:
        seconds: of steady load.
        per_second: updates of residents.
        first: seconds of the first round, at the same load, in which most pay and fetch the receipt.
        greetings: chats that only greet, before all else: more than the service remembers the places of (16,384), and as many as it
            takes until what remembers them has its last size: Python's dictionaries grow once more with the 21,846th.
        every: seconds between samples.
        lives: seconds after which Redis lets go of what it would keep longer.
        faster: times that the service's clock runs faster.
        rest: longest wait, in seconds, for kept connections to be closed.
        leak: made on purpose; a name of `bench.soak.leaks.KINDS`.
        sqlite: keep the ledger in SQLite even where PostgreSQL is.
        trace: note who allocated what.
    """

    seconds: float = 3600.0
    per_second: float = 10.0
    first: float = 180.0
    greetings: int = 23_000
    every: float = 5.0
    lives: float = 900.0
    faster: float = 24.0
    rest: float = 90.0
    leak: str = ""
    sqlite: bool = False
    trace: bool = False


@dataclass
class Crowd:
    """Everybody who walks."""

    world: World
    net: Net
    today: date
    walking: "set[asyncio.Task[None]]" = field(default_factory=set["asyncio.Task[None]"])
    ends: Counter[str] = field(default_factory=Counter[str])
    walks: int = 0
    papers: int = 0
    streams: int = 0
    apart: tuple[int, int] = (0, 0)
    think: float = _THINK
    habits: Habits = HABITS
    plans: Mapping[Plan, int] = field(default_factory=lambda: PLANS)
    known: deque[TelegramDoor] = field(default_factory=lambda: deque(maxlen=500))

    def __post_init__(self) -> None:
        chance = self.world.chance
        self._owing = people.with_fines(chance, self.today)
        self._families = people.with_family(chance, self.today)
        self._anybody = people.anybody(chance)

    @property
    def a_walk(self) -> float:
        """Updates of one walk; those under way are half done."""
        updates, begun = self.apart
        walks = self.walks - begun - len(self.walking) / 2
        return (self.net.journal.counts["update"] - updates + _GUESS[0] * _GUESS[1]) / (walks + _GUESS[0])

    def count_anew(self) -> None:
        """From now on other residents come: how long a walk is must not be guessed by those who came before."""
        self.apart = self.net.journal.counts["update"], self.walks

    def send(self) -> None:
        """One more resident begins."""
        task = self.net.behind.create_task(self._walk(self._resident()))
        self.walking.add(task)
        task.add_done_callback(self.walking.discard)

    def _resident(self) -> Resident:
        chance = self.world.chance
        self.walks += 1
        company = chance.random() < _COMPANIES
        plan = chance.choices(list(self.plans), list(self.plans.values()))[0]
        number = chance.randrange(_ADDRESSES)
        address = f"5.{number >> 8}.{number & 255}.1"
        known = bool(self.known) and not company and chance.random() < _KNOWN
        door: Door
        if known:
            door = self.known.popleft()
            self.net.api.inboxes[int(door.chat)] = door.inbox
        else:
            web = company or chance.random() < 0.4
            door = (WebDoor if web else TelegramDoor)(self.net, self.walks, address)
        who: Iterator[str] = {Plan.RENEW: self._families, Plan.LOOK: self._anybody}.get(plan, self._owing)
        resident = Resident(self.net, door, plan, AUTHORISED if company else next(who), _PATIENCE, self.think)
        resident.habits, resident.known, resident.company = self.habits, known, company
        return resident

    async def _walk(self, resident: Resident) -> None:
        door, web = resident.door, isinstance(resident.door, WebDoor)
        self.streams += web
        try:
            await resident.go()
            self.ends[resident.end] += 1
            if web:
                await asyncio.sleep(self.net.chance.uniform(0.0, resident.habits.lingers))
        finally:
            if isinstance(door, WebDoor):
                shut(door)
            self.streams -= web
        self.papers += resident.papers
        if isinstance(door, TelegramDoor):
            door.inbox.rest()
            self.net.api.inboxes.pop(int(door.chat), None)
            self.known.append(door)


async def soak(size: Size, seed: int) -> Record:
    """Run it."""
    async with (
        world(seed, size.faster, size.leak, sqlite=size.sqlite, trace=size.trace) as here,
        asyncio.TaskGroup() as behind,
    ):
        crowd = crowd_of(here, behind, seed)
        record = Record(ledger=here.books.name, per_second=size.per_second, seed=seed)
        hastening = behind.create_task(_hasten(here, size.lives, record))
        _say("greetings")
        await greet(crowd, size.greetings)
        _say("first round")
        crowd.habits, crowd.plans = FILLING, FILLERS
        await steady(crowd, size.first, size.per_second)
        await left(crowd)
        crowd.habits, crowd.plans = HABITS, PLANS
        crowd.count_anew()
        _say("at rest")
        record.before = await at_rest(crowd, size.rest)
        _say("steady load")
        sampling = behind.create_task(_sample(crowd, size.every, record))
        await steady(crowd, size.seconds, size.per_second)
        sampling.cancel()
        _say("at rest")
        await left(crowd)
        record.after = await at_rest(crowd, size.rest)
        hastening.cancel()
        record.ends, record.walks, record.papers = dict(crowd.ends), crowd.walks, crowd.papers
        record.counts, record.odd = dict(here.journal.counts), list(here.journal.odd)
        record.ended = await here.service.end()
        record.errors = here.service.errors()
        return record


def crowd_of(here: World, behind: asyncio.TaskGroup, seed: int) -> Crowd:
    """Nobody yet; ``behind`` owns everybody's tasks."""
    service = cast("Any", here.service)  # one process, where the fault run has a fleet
    chance = random.Random(seed + 2)  # noqa: S311 - chances, no secrets
    net = Net(service, here.api, here.http, here.journal, chance, behind, _TWICE)
    return Crowd(here, net, local(SystemClock().now()).date())


async def steady(crowd: Crowd, seconds: float, per_second: float) -> None:
    """Residents come, by chance and at a steady rate, for ``seconds``."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    due = loop.time()
    while due < end:
        await asyncio.sleep(max(0.0, due - loop.time()))
        crowd.send()
        due += crowd.world.chance.expovariate(per_second / crowd.a_walk)


async def greet(crowd: Crowd, chats: int) -> None:
    """So many chats say hello and nothing else, a few at a time."""
    waiting = iter(range(chats))

    async def some() -> None:
        for number in waiting:
            door = TelegramDoor(crowd.net, _GREETERS + number, "")
            await door.type("/start")
            await door.inbox.next(_HELLO)
            crowd.net.api.inboxes.pop(int(door.chat), None)

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(some())
    crowd.count_anew()


async def together(crowd: Crowd, walks: int) -> None:
    """So many residents come at one moment; return once everybody has gone."""
    for _ in range(walks):
        crowd.send()
    await left(crowd)


async def left(crowd: Crowd) -> None:
    """Return once everybody has gone."""
    while crowd.walking or crowd.net.pending:
        await asyncio.wait({*crowd.walking, *crowd.net.pending})


async def at_rest(crowd: Crowd, seconds: float) -> dict[str, Any]:
    """What there is while nobody is there."""
    entries, held = await measure.settled(crowd.world, _OUTBOX)
    garbage = await crowd.world.service.ask("garbage")
    found = {**await measure.rested(crowd.world, seconds), **await crowd.world.service.ask("lines")}
    more = await measure.sampled(crowd.world)
    return {
        **found,
        **more,
        "garbage by kind": garbage["garbage by kind"],
        "outbox": entries,
        "outbox held": held,
    }


async def _sample(crowd: Crowd, every: float, record: Record) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    turn = 0
    while True:
        due = begun + turn * every
        await asyncio.sleep(max(0.0, due - loop.time()))
        found = await measure.sampled(crowd.world)
        found["streams"] = float(crowd.streams)
        found["walking"] = float(len(crowd.walking))
        found.update({f"keys {name}": float(count) for name, count in record.keys.items()})
        found["keys"] = float(sum(record.keys.values()))
        if turn % 6 == 0:
            found.update(await measure.ledger(crowd.world))
        record.samples.append({"at": loop.time() - begun, **found})
        turn += 1


async def _hasten(here: World, lives: float, record: Record) -> None:
    while True:
        record.keys = dict(await measure.hastened(here, lives))
        await asyncio.sleep(max(1.0, lives / 60))


def _say(what: str) -> None:
    """An hour is long: where it is goes to standard error."""
    print(f"soak: {what}", file=sys.stderr, flush=True)
