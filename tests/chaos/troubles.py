"""What breaks during a run: a process, the network, a Redis primary, all of Redis, PostgreSQL.

Whatever is begun is ended before the next one of its kind, and when the run ends: nothing is left half broken.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Final

from tests.chaos.service import Process
from tests.chaos.world import World

AGAIN: Final = 0.05
"""Seconds between looks at what is waited for."""
ENOUGH: Final = 10
"""Updates of which one must have been refused."""
LONGEST: Final = 30.0
"""Seconds that Redis is away at most."""
HEALED: Final = 120.0
"""Seconds within which everything is up again when nothing breaks."""

Trouble = Callable[[], Coroutine[Any, Any, None]]


class Troubles:
    """Of one run.

    Args:
        world: what is broken.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._chance = world.chance

    def beside(self) -> list[Coroutine[Any, Any, None]]:
        """All kinds beside one another, again and again, until cancelled."""
        kinds = (self.kill, self.cut, self.failover, self.restart)
        size = self._world.size
        return [self._again(*each) for each in zip(kinds, size.every, size.walked, strict=True)]

    async def one_by_one(self, let_in: Callable[[int], None]) -> None:
        """Each kind, a process twice, `Size.rounds` times: it strikes while new residents walk, and heals before the next.

        Args:
            let_in: sends so many more on their way.
        """
        kinds = (self.away, self.kill, self.cut, self.failover, self.restart, self.kill)
        size = self._world.size
        steps = len(kinds) * size.rounds
        for step in range(steps):
            let_in(size.walks * (step + 1) // steps - size.walks * step // steps)
            await kinds[step % len(kinds)]()
            await self.healed()

    async def healed(self) -> None:
        """Nothing between service and Redis, every process up."""
        for node in self._world.cluster.nodes:
            node.proxy.delay, node.proxy.shut = 0.0, False
        async with asyncio.timeout(HEALED):
            await self._world.fleet.all_up()

    async def kill(self) -> None:
        """The process that is up for longest and did something since; another one goes on."""
        while not (ready := self._may_die()):
            await asyncio.sleep(AGAIN)
        await self._world.fleet.kill(min(ready, key=lambda each: each.since))

    def _may(self, trouble: Trouble) -> bool:
        return trouble != self.kill or bool(self._may_die())

    def _may_die(self) -> list[Process]:
        up = [each for each in self._world.fleet.processes if each.up]
        return [each for each in up if each.served] if len(up) > 1 else []

    async def cut(self) -> None:
        """Two of Redis's servers lose their connections, or are slow, or take no new ones."""
        chance, cluster = self._chance, self._world.cluster
        kind = chance.choice(("reset", "delay", "cut", "away"))
        if kind == "away":
            await self.away()
            return
        self._world.journal.note("network", what=kind)
        touched = chance.sample(cluster.nodes, 2)
        for node in touched:
            node.proxy.delay = chance.uniform(0.05, 1.0) if kind == "delay" else 0.0
            node.proxy.shut = kind == "cut"
            if kind != "delay":
                node.proxy.reset()
        await asyncio.sleep(0.0 if kind == "reset" else chance.uniform(0.5, 2.5))
        for node in touched:
            node.proxy.delay, node.proxy.shut = 0.0, False
        self._world.journal.note("network well")

    async def away(self) -> None:
        """Nobody reaches any of Redis's servers until the service has refused something, as it must."""
        journal, nodes = self._world.journal, self._world.cluster.nodes
        before = journal.counts["not taken"]
        journal.note("network", what="away")
        for node in nodes:
            node.proxy.shut = True
            node.proxy.reset()
        begun = journal.note("Redis away")
        brought = journal.counts["update"]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST):  # at the end of a run nobody brings anything
                while journal.counts["not taken"] == before and journal.counts["update"] < brought + ENOUGH:
                    await asyncio.sleep(AGAIN)
        begun.data["until"] = journal.now()
        for node in nodes:
            node.proxy.shut = False
        journal.note("network well")

    async def failover(self) -> None:
        """A Redis primary dies; its replica takes over; it comes back empty, as a replica."""
        journal = self._world.journal
        journal.note("primary killed")
        took = await self._world.cluster.kill_primary(self._chance)
        journal.note("failover", seconds=round(took, 1))

    async def restart(self) -> None:
        """PostgreSQL ends as in a crash, and is started."""
        if await self._world.books.restart():
            self._world.journal.note("ledger restarted")

    async def _again(self, trouble: Trouble, every: float, walked: int) -> None:
        """Make trouble every so many seconds or walks, whichever is sooner, until cancelled."""
        loop, counts = asyncio.get_running_loop(), self._world.journal.counts
        due, enough = loop.time() + every, counts["end"] + walked
        while True:
            # A trouble that was begun is awaited: it must not wait for residents when they are gone.
            while (loop.time() < due and counts["end"] < enough) or not self._may(trouble):
                await asyncio.sleep(AGAIN)
            begun = loop.create_task(trouble())
            due, enough = loop.time() + every, counts["end"] + walked
            try:
                await asyncio.shield(begun)
            except asyncio.CancelledError:
                await begun
                raise
