"""The rehearsal: chapter by chapter, the deploy goes on while residents walk through it."""

import asyncio
import contextlib
import random
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, cast

from bot.clock import SystemClock, local
from tests.chaos import people
from tests.chaos.audit import Evidence, Report
from tests.chaos.journal import Journal
from tests.chaos.outbox import lying
from tests.chaos.walker import Plan
from tests.deploy.audit import Deploy, Keys, audit
from tests.deploy.doors import Door, Telegram, Web
from tests.deploy.fleet import Process
from tests.deploy.residents import Resident
from tests.deploy.world import World, opened

PLANS: Final = (Plan.PAY, Plan.RENEW, Plan.LOOK, Plan.PAY, Plan.RENEW, Plan.CANCEL, Plan.PAY)
"""What residents come for, one after the other, so that few of them do all of it."""

ALONE: Final = 5
"""The chapter in which the new release is taken back."""
LAST: Final = 8
"""The chapter in which everybody comes back and walks to the end."""


@dataclass(frozen=True)
class Size:
    """How much of everything.

    Attributes:
        walks: residents, spread over the chapters.
        think: seconds a resident looks at a question, at most.
        most: seconds after which a chapter ends although somebody is still busy.
        alone: the same, while the old release is alone with sessions that only the new one can read.
        end: seconds all of them have to come to the end in the last chapter.
        settle: seconds the service has then to empty the outbox and to record what was paid.
        sqlite: keep the ledger in SQLite even where PostgreSQL is.
    """

    walks: int = 160
    think: float = 0.5
    most: float = 60.0
    alone: float = 15.0
    end: float = 120.0
    settle: float = 90.0
    sqlite: bool = False


SMALL: Final = Size(walks=35, think=0.1, most=30.0, alone=5.0)
"""What the test runs."""


@dataclass
class Play:
    """One rehearsal under way.

    Attributes:
        walks: everybody who came, each with the task that walks.
        people: whom the residents ask about, by what they come for.
    """

    size: Size
    world: World
    people: dict[Plan, Iterator[str]]
    chance: random.Random
    watching: "asyncio.Task[None]"
    doors: list[Door] = field(default_factory=list[Door])
    living: dict[str, Process] = field(default_factory=dict[str, Process])
    walks: list[tuple[Resident, "asyncio.Task[None]"]] = field(
        default_factory=list[tuple[Resident, "asyncio.Task[None]"]]
    )

    # --- chapters -------------------------------------------------------------------------------

    async def run(self) -> Deploy:
        """All chapters; what is known at the end."""
        world = self.world
        first = world.ring
        await self._start("a", world.old, first)
        await self._start("b", world.old, first)
        await self._chapter(self._nothing)
        announced, sealing = await self._rotated(first)
        world.ring = announced  # opens what either seals
        for change in (
            lambda: self._start("c", world.new, announced),
            lambda: self._announce(announced),
            lambda: self._seal(sealing),
            self._take_back,
            lambda: self._start("e", world.new, sealing),
            self._old_stops,
        ):
            await self._chapter(change, most=self.size.alone if change == self._take_back else self.size.most)
        return await self._books(sealing)

    async def _nothing(self) -> None:
        """The old release is alone."""

    async def _start(self, name: str, nursery: Any, keys: str) -> None:
        self.living[name] = await self.world.fleet.start(name, nursery, keys)

    async def _stop(self, name: str) -> None:
        await self.world.fleet.stop(self.living.pop(name))

    async def _announce(self, keys: str) -> None:
        """The old processes are started again with the new key, one after the other; the ledger is the new release's."""
        for gone, comes in (("a", "a2"), ("b", "b2")):
            await self._start(comes, self.world.old, keys)
            await self._stop(gone)

    async def _seal(self, keys: str) -> None:
        """A new process seals with the new key; what it seals is opened by all."""
        await self._start("d", self.world.new, keys)
        await self._stop("c")

    async def _take_back(self) -> None:
        """The new release is gone; the old one meets sessions that it must leave alone."""
        await self._stop("d")

    async def _old_stops(self) -> None:
        await self._stop("a2")
        await self._stop("b2")

    # --- keys -----------------------------------------------------------------------------------

    async def _rotated(self, keys: str) -> tuple[str, str]:
        """The two values that ``iqamati keys rotate`` tells the operator to deploy."""
        _, told = await self.world.command("rotate", self.world.old, keys, "keys", "rotate")
        first, second = _values(told)
        return first, second

    async def _books(self, keys: str) -> Deploy:
        """The last walks, then an empty outbox and all that was paid recorded; what is known at the end."""
        world = self.world
        world.chapters.turn()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.size.end):
                await asyncio.gather(*(task for _, task in self.walks))
        for _, task in self.walks:
            task.cancel()
        await asyncio.gather(*(task for _, task in self.walks), return_exceptions=True)
        while world.net.pending:
            await asyncio.wait(world.net.pending, timeout=60)
        for door in self.doors:
            await door.leave()
        world.journal.note("walks over")
        left = await self._settled()
        redis: Any = world.redis
        evidence = Evidence(
            journal=Journal(world.journal.begun, list(world.journal.notes), world.journal.counts.copy()),
            book=await world.book(),
            orders=await world.books.rows("SELECT * FROM orders"),
            items=await world.books.rows("SELECT * FROM order_items"),
            attempts=await world.books.rows("SELECT * FROM attempts"),
            outbox=left,
            sessions=len(await redis.keys("s:*")),
            aside=len(await redis.keys("q:*:*:*")),
            logs={door.chat: await door.log() for door in self.doors if isinstance(door, Web)},
            errors={},
            ledger=world.books.name,
        )
        revisions = await world.books.rows("SELECT version_num FROM alembic_version")
        return Deploy(
            evidence=evidence,
            seen=list(world.watch.sessions.values()),
            faults=[*world.faults, *world.watch.faults],
            revision=revisions[0]["version_num"],
            keys=await self._drop(keys),
        )

    async def _settled(self) -> list[str]:
        """Wait until nothing is left in the outbox and what was paid is recorded; entries of the outbox left."""
        redis: Any = self.world.redis
        left = ["not looked at"]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.size.settle):
                while left or await self.world.books.rows("SELECT id FROM orders WHERE status = 'paid'"):
                    await asyncio.sleep(0.1)
                    left = await lying([(key, redis) for key in await redis.keys("o:*")])
        return left

    async def _drop(self, keys: str) -> Keys:
        """The older key is dropped once nothing is under it: thirty hours later. A last process knows the newest only."""
        world = self.world
        early, before = await world.command("early", world.new, keys, "keys", "drop")
        assert not self.watching.done(), "nobody looked at the sessions"
        self.watching.cancel()
        gone = await world.watch.thirty_hours_later()
        late, told = await world.command("late", world.new, keys, "keys", "drop")
        found = Keys(early == 0, _older(before), gone, _older(told), late == 0)
        if found.dropped:
            (newest,) = _values(told)
            await self._start("f", world.new, newest)
            await self._stop("e")
            walk = self._resident(len(self.walks), LAST)
            walk.plan, walk.away_at = Plan.LOOK, 0
            async with asyncio.timeout(self.size.end):
                await walk.go()
            await self.doors[-1].leave()
            found.newest_only = walk.end
            await self._stop("f")
        return found

    # --- residents ------------------------------------------------------------------------------

    async def _chapter(self, change: Callable[[], Awaitable[None]], most: float = 0.0) -> None:
        """Residents come, others come back, ``change`` is made among them; over when nobody is busy."""
        alone = change == self._take_back
        if alone:  # to the old release without the new one
            await change()
        self.world.chapters.turn()
        chapter = self.world.chapters.now
        self._come(chapter)
        if not alone:
            await change()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(most or self.size.most):
                while any(self._busy(walk, task, alone=alone) for walk, task in self.walks):
                    await asyncio.sleep(0.02)
        self.world.journal.note("chapter", number=chapter)

    def _busy(self, walk: Resident, task: "asyncio.Task[None]", *, alone: bool) -> bool:
        """Whether a resident still does something. Who paid waits for the receipt, others for the new release."""
        waits = walk.paid_on_page or (alone and walk.door.chat in self.world.net.given_back)
        return not (task.done() or walk.away or waits)

    def _come(self, chapter: int) -> None:
        """The chapter's share of residents. Two of three look away at a question until a later chapter."""
        loop = asyncio.get_running_loop()
        for number in range(len(self.walks), self.size.walks * chapter // (LAST - 1)):
            walk = self._resident(number, chapter)
            self.walks.append((walk, loop.create_task(walk.go())))

    def _resident(self, number: int, chapter: int) -> Resident:
        plan = PLANS[number % len(PLANS)]
        address = f"5.{number >> 12 & 255}.{number >> 4 & 255}.{(number & 15) * 16 + 1}"
        door: Door = (Web if number % 2 else Telegram)(self.world.net, number, address)
        self.doors.append(door)
        net, way = cast("tuple[Any, Any]", (self.world.net, door))  # other ones than the fault run's own
        walk = Resident(
            net,
            way,
            plan,
            next(self.people[plan]),
            patience=3600.0,
            think=self.size.think,
            chapters=self.world.chapters,
            led=self.world.net.led,
        )
        if number % 3:
            walk.away_at = 1 + number % 4 // 2
            walk.back_in = self.chance.choice([*({*range(chapter + 1, LAST)} - {ALONE}), LAST])
            # Some begin with the old release and come back to the new one; others begin with the new one, and come back
            # when it was taken back.
            self.world.net.led[door.chat] = "old" if number % 3 == 1 else "new"
            if number % 3 == 2 and chapter < ALONE:
                walk.back_in = ALONE
        return walk


def _values(told: str) -> list[str]:
    return [line.partition("=")[2] for line in told.splitlines() if line.startswith("SECRET_KEYS=")]


def _older(status: str) -> int:
    """Values under older keys, by what ``iqamati keys`` shows."""
    rows = [line.split() for line in status.splitlines()]
    return sum(int(word) for row in rows if row[1:2] == ["older"] for word in row[2:] if word.isdecimal())


async def rehearse(size: Size, seed: int, kept: Path | None = None, without: str = "") -> Report:
    """Rehearse; the journal and the processes' logs go into the folder ``kept``, where one is given."""
    today: date = local(SystemClock().now()).date()
    chance = random.Random(seed)
    owing = people.with_fines(chance, today)
    families = people.with_family(chance, today)
    asked = dict.fromkeys(Plan, owing) | {Plan.RENEW: families}
    async with opened(seed, sqlite=size.sqlite, without=without) as world:
        watching = asyncio.get_running_loop().create_task(world.watch.run())
        try:
            found = await Play(size, world, asked, random.Random(seed + 3), watching).run()
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            if kept is not None:
                _keep(world, kept)
        report = audit(found, world.fleet)
        report.about["seed"] = seed
        return report


def _keep(world: World, kept: Path) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    told = (f"{note.at:9.3f} {note.kind:<16} {note.chat} {note.data}\n" for note in world.journal.notes)
    (kept / "journal").write_text("".join(told))
    for process in world.fleet.lives:
        shutil.copy(process.folder / "log", kept / process.name)
    for name, told_by in world.commands.items():
        (kept / name).write_text(told_by)
