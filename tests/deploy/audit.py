"""The auditor of a deploy: what the fault run's auditor asks, and what a deploy alone can do wrong."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos import audit as faults
from tests.chaos.audit import Evidence, Report
from tests.chaos.journal import Note
from tests.deploy.doors import GIVEN_BACK
from tests.deploy.fleet import Fleet
from tests.deploy.releases import REVISION
from tests.deploy.watch import Seen


@dataclass
class Keys:
    """What came of the rotation.

    Attributes:
        too_early: whether the older key could be dropped while sessions were under it.
        before, after: values under the older key at the end, and thirty hours later.
        gone: keys of Redis that ended in these thirty hours.
        dropped: whether it could be dropped then.
        newest_only: how a walk ended through a process that knows the newest key only.
    """

    too_early: bool
    before: int
    gone: int
    after: int
    dropped: bool
    newest_only: str = ""


@dataclass(frozen=True)
class Deploy:
    """All that is known at the end.

    Attributes:
        evidence: what the fault run's auditor compares.
        seen: what was seen of each session.
        faults: what was seen that must not be.
        revision: the ledger's.
        keys: the rotation.
    """

    evidence: Evidence
    seen: list[Seen]
    faults: list[str]
    revision: str
    keys: Keys


def audit(found: Deploy, fleet: Fleet) -> Report:
    """Compare. What must have happened and did not is a fault, too: nothing was shown."""
    report = faults.audit(found.evidence)
    report.errors = dict(fleet.told())
    happened = {
        **_crossings(found.evidence.journal.of("taken", "not taken"), report),
        **_sessions(found, fleet),
        **_ledger(found),
        **_keys(found.keys),
    }
    report.counts |= happened
    starved = [what for what, count in happened.items() if not count]
    _must(report, "did not happen", *starved)
    _must(report, "sessions that vanished, went back or cannot be opened", *found.faults)
    _must(report, "processes that ended badly", *_ended(fleet))
    _must(report, "older key dropped too early", *(["dropped"] * found.keys.too_early))
    _must(report, "values under the older key at the end", *(["sealed"] * found.keys.after))
    return report


def _must(report: Report, what: str, *found: str) -> None:
    report.must_be_nothing[what] = len(found)
    report.findings += [f"{what}: {each}" for each in found]


def _crossings(notes: Iterator[Note], report: Report) -> dict[str, int]:
    """Who took each update, and which of them had been given back before."""
    happened: dict[str, int] = dict.fromkeys(
        (
            "turns taken by the old release",
            "turns taken by the new release",
            "chats from old to new",
            "chats from new to old",
            "updates given back with 503 and taken later",
            "web posts told when to try again",
        ),
        0,
    )
    turns: defaultdict[str, list[Note]] = defaultdict(list)
    refused: set[tuple[str, str]] = set()
    by_new: list[str] = []
    for note in notes:
        name = note.chat, note.data["id"]
        if note.kind == "taken":
            turns[note.chat].append(note)
            happened["updates given back with 503 and taken later"] += name in refused
            refused.discard(name)
        elif note.data["status"] == GIVEN_BACK:
            refused.add(name)
            happened["web posts told when to try again"] += bool(note.data["later"])
            if note.data["by"] != "old":
                by_new.append(f"{note.chat} {note.data['id']}")
        elif isinstance(note.data["status"], int):
            by_new.append(f"{note.chat} {note.data['id']}: {note.data['status']}")
    for taken in turns.values():
        for before, after in zip([None, *taken], taken, strict=False):
            happened[f"turns taken by the {after.data['by']} release"] += 1
            if before is not None and before.data["by"] != after.data["by"]:
                happened[f"chats from {before.data['by']} to {after.data['by']}"] += 1
    _must(report, "updates given back by the new release, or for another reason", *by_new)
    _must(
        report, "updates given back and not taken", *(f"{chat} {number}" for chat, number in sorted(refused))
    )
    return happened


def _sessions(found: Deploy, fleet: Fleet) -> dict[str, int]:
    return {
        "sessions carried over: violations": sum("violations" in seen.carried for seen in found.seen),
        "sessions carried over: checkout": sum("checkout" in seen.carried for seen in found.seen),
        "sessions carried over from the retired state": sum(
            seen.retired and "violations" in seen.carried for seen in found.seen
        ),
        "migrations of frames run": fleet.lines("carried ").total(),
        "questions of the new release's own dialog": sum(
            note.data["message"].place.startswith("news/") for note in found.evidence.journal.of("say")
        ),
        "sessions sealed with the one key, then the other": sum(len(seen.keys) > 1 for seen in found.seen),
        "processes stopped in time": fleet.statuses[0],
    }


def _ledger(found: Deploy) -> dict[str, int]:
    made_by = [order.get("made_by") for order in found.evidence.orders]
    return {
        "ledger migrated": int(found.revision == REVISION),
        "orders filled in by the migration": made_by.count("before"),
        "orders made since": made_by.count(None),
    }


def _keys(keys: Keys) -> dict[str, int]:
    return {
        "values under the older key before thirty hours passed": keys.before,
        "keys of Redis gone in thirty hours": keys.gone,
        "older key dropped": int(keys.dropped),
        "walks through a process with the newest key only": int(bool(keys.newest_only)),
    }


def _ended(fleet: Fleet) -> list[str]:
    bad = [
        f"with status {status}" for status, count in fleet.statuses.items() if status for _ in range(count)
    ]
    return [*bad, *fleet.died()]
