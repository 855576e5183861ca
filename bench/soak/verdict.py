"""Whether it is flat: slopes of the series after warm-up, and what is left when nobody is there, against bounds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any, Final

from bench.soak.residents import GOOD
from bot.store.keys import KNOWN

MIB: Final = 1024.0 * 1024.0
PER: Final = 10_000
"""Turns to which slopes are related."""

KEPT: Final = frozenset({"outside", "Bot API", "unix socket", "ledger"})
"""Servers to which connections are kept, as many as were once needed at one moment; Redis is the Unix socket."""

REMEMBERED: Final = {"bot.store.keys.Place": KNOWN + 100, "bot.store.sessions._Where": KNOWN}
"""Kinds of objects that are remembered, so many at most: where the keys of chats are, and a few under way."""

Sample = dict[str, float]


@dataclass
class Record:
    """What a soak brought.

    Attributes:
        before: the census at rest, after the first round.
        after: likewise, after the load.
        samples: of the time between; ``at`` is seconds.
        keys: of Redis, by kinds, as last counted.
        ended: the service's exit status.
        errors: error lines of its log.
    """

    ledger: str = ""
    per_second: float = 0.0
    seed: int = 0
    before: dict[str, Any] = field(default_factory=dict[str, Any])
    after: dict[str, Any] = field(default_factory=dict[str, Any])
    samples: list[Sample] = field(default_factory=list[Sample])
    keys: dict[str, int] = field(default_factory=dict[str, int])
    ends: dict[str, int] = field(default_factory=dict[str, int])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    odd: list[str] = field(default_factory=list[str])
    errors: dict[str, int] = field(default_factory=dict[str, int])
    walks: int = 0
    papers: int = 0
    ended: int = 0


@dataclass(frozen=True)
class Bound:
    """How much a series may rise from the warm-up's end to the last sample.

    Attributes:
        name: of the series.
        turns: for each ten thousand turns.
        floor: whatever the number of turns: what comes and goes by chance.
        unit: of both, and its factor.
        share: or so large a part of the series' mean.
    """

    name: str
    turns: float = 0.0
    floor: float = 0.0
    unit: str = ""
    factor: float = 1.0
    share: float = 0.0


BOUNDS: Final = (
    Bound("rss", turns=2.0, floor=3.0, unit="MiB", factor=MIB),
    Bound("private", turns=2.0, floor=3.0, unit="MiB", factor=MIB),
    Bound("objects", floor=50_000.0),  # as many may wait for the collector; what it leaves is counted at rest
    Bound("fds", floor=10.0, share=0.25),
    Bound("tasks", floor=10.0, share=0.25),
    Bound("keys", share=0.05),
    Bound("redis per session", share=0.05, unit="bytes"),
    Bound("redis", share=0.05, unit="MiB", factor=MIB),
    Bound("redis clients", floor=20.0),
    Bound("redis blocked", floor=1.0),
    Bound("ledger connections", floor=10.0),  # as many may be open above those that are kept
    Bound("cpu per turn", share=0.25, unit="µs"),
)


@dataclass(frozen=True)
class Row:
    """One line of the verdict; ``value`` must not be more than ``most``."""

    name: str
    value: float
    most: float
    unit: str = ""

    @property
    def good(self) -> bool:
        return self.value <= self.most


def verdict(record: Record, warm: float) -> list[Row]:
    """All of it; ``warm``: seconds of the load that are left out."""
    samples = derived([each for each in record.samples if each["at"] >= warm])
    rows = [row for bound in BOUNDS if (row := _risen(bound, samples)) is not None]
    return [*rows, *_ledger(samples), *_at_rest(record), *_walks(record)]


def derived(samples: Sequence[Sample]) -> list[Sample]:
    """With what is calculated from them: CPU of a turn over a minute, memory of Redis for each session."""
    found: list[Sample] = []
    for index, each in enumerate(samples):
        more = dict(each)
        if each.get("keys sessions"):
            more["redis per session"] = each["redis"] / each["keys sessions"]
        earlier = samples[max(0, index - 12)]
        turns = each["updates"] - earlier["updates"]
        if index >= 12 and turns:
            more["cpu per turn"] = (each["cpu"] - earlier["cpu"]) / turns
        found.append(more)
    return found


def line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope and height at the first point of the straight line nearest to ``points`` (least squares)."""
    mean_x, mean_y = fmean(x for x, _ in points), fmean(y for _, y in points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
    return slope, mean_y + slope * (points[0][0] - mean_x)


def _risen(bound: Bound, samples: Sequence[Sample]) -> Row | None:
    points = [(each["at"], each[bound.name]) for each in samples if bound.name in each]
    if len(points) < 3:
        return None
    slope, _ = line(points)
    rise = slope * (points[-1][0] - points[0][0])
    turns = samples[-1]["updates"] - samples[0]["updates"]
    mean = fmean(value for _, value in points)
    most = max(bound.turns * bound.factor * turns / PER, bound.floor * bound.factor, bound.share * mean)
    return Row(f"{bound.name}: rise", rise / bound.factor, most / bound.factor, bound.unit)


def _ledger(samples: Sequence[Sample]) -> list[Row]:
    """Whether a turn adds more to the ledger in the second half than in the first."""
    points = [(each["updates"], each["ledger"]) for each in samples if "ledger" in each]
    if len(points) < 6:
        return []
    half = len(points) // 2
    first, second = line(points[: half + 1])[0], line(points[half:])[0]
    return [Row("ledger: bytes a turn, second half", second, 1.5 * max(first, 1.0), "bytes")]


def _at_rest(record: Record) -> list[Row]:
    before, after = record.before, record.after
    turns = record.samples[-1]["updates"] - record.samples[0]["updates"] if record.samples else 0.0
    return [
        Row("at rest: more tasks", _more(before, after, "tasks by kind"), 0),
        Row("at rest: more descriptors", _more(before, after, "fds by kind", without=KEPT), 0),
        Row("at rest: more kept connections", _more(before, after, "fds by kind", only=KEPT), 30),
        Row("at rest: more objects", _objects(after) - _objects(before), max(3000.0, turns / 10)),
        *(
            Row(f"at rest: {kind}", after["objects by kind"].get(kind, 0), most)
            for kind, most in REMEMBERED.items()
        ),
        Row("at rest: outbox entries", after["outbox"] + after["outbox held"], 0),
        Row("at rest: blocked clients more", after["redis blocked"] - before["redis blocked"], 0),
    ]


def _objects(census: dict[str, Any]) -> float:
    """All of them without those of which so many are kept on purpose, and without what these are made of."""
    remembered = sum(census["objects by kind"].get(kind, 0) for kind in REMEMBERED)
    return float(census["objects"] - remembered)


def _more(
    before: dict[str, Any],
    after: dict[str, Any],
    what: str,
    *,
    only: frozenset[str] = frozenset(),
    without: frozenset[str] = frozenset(),
) -> float:
    more = grown(before, after, what)
    return float(
        sum(
            count
            for name, count in more.items()
            if count > 0 and name not in without and (not only or name in only)
        )
    )


def grown(before: dict[str, Any], after: dict[str, Any], what: str) -> dict[str, int]:
    """What there is more or less of, by kinds, the most first."""
    names = set(before[what]) | set(after[what])
    found = {name: after[what].get(name, 0) - before[what].get(name, 0) for name in names}
    return {
        name: more for name, more in sorted(found.items(), key=lambda each: (-abs(each[1]), each[0])) if more
    }


def _walks(record: Record) -> list[Row]:
    good = sum(record.ends.get(end, 0) for end in GOOD)
    lost = sum(record.ends.get(end, 0) for end in ("lost", "late", ""))
    return [
        Row("walks lost or late", lost, 0),
        Row("walks refused", record.walks - good - lost, 0.02 * record.walks),
        Row("sessions lost on the way", record.counts.get("session lost", 0), 0),
        Row("updates not taken at once", record.counts.get("not taken", 0), 0),
        Row("error lines", sum(n for word, n in record.errors.items() if not word.startswith("warning")), 0),
        Row("exit status", abs(record.ended), 0),
    ]


def told(record: Record) -> dict[str, Any]:
    """The record as JSON holds it."""
    return asdict(record)
