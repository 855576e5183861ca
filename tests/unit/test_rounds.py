"""A process's own rounds go on whatever breaks in one of them."""

from types import SimpleNamespace
from typing import Any

from bot.crypto import Keyring
from bot.process import BUSY, SWEEP_EVERY, Service
from bot.tasks import Tasks
from bot.upkeep import FORGET_EVERY, Upkeep
from tests.runtime.world import FakeClock

ROUNDS = 3


class Breaks:
    """Work that breaks each time, by what no layer of ours raises."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> int:
        self.times += 1
        raise RuntimeError("the handler is closed")


async def test_forgetting_goes_on() -> None:
    clock, tasks, breaks = FakeClock(), Tasks(), Breaks()
    memory: Any = SimpleNamespace(round=breaks, drop_undelivered=breaks)
    nothing: Any = None
    upkeep = Upkeep(nothing, memory, Keyring.parse(Keyring.generate()), clock, tasks)
    upkeep.start()
    for _ in range(ROUNDS):
        await clock.asked(FORGET_EVERY)
        await clock.advance(FORGET_EVERY)
    await clock.asked(FORGET_EVERY)
    await tasks.close()
    assert breaks.times > ROUNDS


async def test_sweeps_go_on() -> None:
    clock, breaks = FakeClock(), Breaks()
    service: Any = SimpleNamespace(clock=clock)
    tasks = Tasks()
    tasks.spawn(Service._sweep(service, breaks), "sweep")
    for _ in range(ROUNDS):
        await clock.asked(SWEEP_EVERY)
        await clock.advance(SWEEP_EVERY)
    await clock.asked(SWEEP_EVERY)
    await tasks.close()
    assert breaks.times == ROUNDS + 1


async def test_a_sweep_that_found_much_to_do_looks_again_at_once() -> None:
    clock, tasks, waiting = FakeClock(), Tasks(), [BUSY, BUSY, BUSY - 1]
    looks: list[int] = []

    async def work() -> int:
        looks.append(waiting.pop(0) if waiting else 0)
        return looks[-1]

    service: Any = SimpleNamespace(clock=clock)
    tasks.spawn(Service._sweep(service, work), "sweep")
    for _ in range(2):
        await clock.asked(0.0)
        await clock.advance(0.0)
    await clock.asked(SWEEP_EVERY)
    await tasks.close()
    assert looks == [BUSY, BUSY, BUSY - 1]
