"""How much of everything a run has."""

from dataclasses import dataclass
from typing import Final

from tests.chaos.walker import Plan

PLANS: Final = {Plan.PAY: 45, Plan.LOOK: 20, Plan.CANCEL: 10, Plan.DECLINED: 10, Plan.RENEW: 15}
"""Of a hundred walks."""


@dataclass(frozen=True)
class Size:
    """Bounds and shares.

    Attributes:
        walks: residents, each with a chat of their own.
        at_once: of them at one moment.
        processes: of the service; the last one has the wrong clock.
        seconds: for so long residents are let in; who is under way then walks to the end.
        patience: the longest one walk may take.
        settle: seconds the service has afterwards, in fair weather, to empty the outbox.
        record: seconds it has to record at the registry what was paid; a failed try is made again after a minute, then
            two, five, ten.
        rounds: of troubles one after the other, each with residents of its own; 0 for all kinds beside one another, as
            often as ``every`` says.
        every: seconds between troubles of one kind, at most: of a process, the network, Redis, PostgreSQL.
        walked: walks ended between them, at most: a quick run has as many troubles as a slow one.
        failing: share of calls to registry and gateway that fail or stall.
        twice: share of updates brought twice.
        think: seconds a resident looks at a question, at most.
        wrong: seconds the last process's clock is wrong by.
        sqlite: keep the ledger in SQLite even where PostgreSQL is.
    """

    walks: int = 100
    at_once: int = 40
    processes: int = 3
    seconds: float = 3600.0
    patience: float = 900.0
    settle: float = 90.0
    record: float = 360.0
    rounds: int = 0
    every: tuple[float, float, float, float] = (8.0, 10.0, 40.0, 40.0)
    walked: tuple[int, int, int, int] = (28, 40, 150, 150)
    failing: float = 0.3
    twice: float = 0.2
    think: float = 3.0
    wrong: float = 45.0
    sqlite: bool = False


SMALL: Final = Size(
    walks=40, processes=2, seconds=130.0, patience=110.0, record=0.0, rounds=1, failing=0.1, think=1.0
)
"""What the test runs: a round of troubles, each healed before the next, and nothing that waits for a try a minute later."""
