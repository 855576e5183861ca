"""The auditor's view on what was said: each update answered, nothing said twice, questions in the order they were asked."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Final

from tests.chaos.evidence import Evidence, Report
from tests.chaos.journal import Journal, Note
from tests.chaos.mail import Message

NOTED: Final = 3.0
"""Seconds after which a delivery must be noted in Redis, while Redis is there; a process that died later died after it."""
LOST: Final = 5.0
"""Seconds before its death in which a Redis primary may have said yes to what its replica never saw."""
SHOWN_AGAIN: Final = "That button belongs to an earlier question"
"""Begins what is said to a press on an earlier question; each press of the kind brings the current question again."""

MARK: Final = "✓"
"""Stands in a question's message beside what was pressed."""

MUST_NOT: Final = (
    "replies doubled without a death",
    "replies out of order",
    "updates without a reply",
    "presses answered twice",
)

DIED: Final = "doubled: process died before noting it"
FORGOT: Final = "doubled: Redis primary died with the note"
TAKEN_BACK: Final = "turns taken back by a failover"


@dataclass(frozen=True)
class Breaks:
    """When what broke.

    Attributes:
        deaths: of processes: when, and whose.
        failovers: of Redis primaries: killed, and healed.
        poor: from when to when Redis could not be reached, or not well.
    """

    deaths: list[tuple[float, str]]
    failovers: list[tuple[float, float]]
    poor: list[tuple[float, float]]

    def noted(self, since: float) -> float:
        """Until when a delivery of ``since`` may not be noted yet."""
        until = since + NOTED
        for begun, ended in sorted(self.poor):
            if begun <= until and ended + LOST >= since:  # connections are made anew first
                until = max(until, ended + LOST + NOTED)
        return until

    def lost(self, at: float, seen: float) -> bool:
        """Whether what was written at ``at`` may have been lost with a primary by ``seen``."""
        return any(begun - LOST <= at <= ended + LOST and begun <= seen for begun, ended in self.failovers)


def breaks(journal: Journal) -> Breaks:
    """As the journal has them."""

    def spans(kind: str, end: str) -> list[tuple[float, float]]:
        ends = [note.at for note in journal.of(end)]
        return [
            (note.at, min((at for at in ends if at >= note.at), default=note.at)) for note in journal.of(kind)
        ]

    failovers = spans("primary killed", "failover")
    return Breaks(
        deaths=[(note.at, note.data["who"]) for note in journal.of("kill", "process ended by itself")],
        failovers=failovers,
        poor=[*failovers, *spans("network", "network well")],
    )


def replies(evidence: Evidence, report: Report) -> None:
    """Count, and name what must not be."""
    journal, counts = evidence.journal, report.counts
    by_chat: defaultdict[str, list[Note]] = defaultdict(list)
    for note in journal.of("update", "say", "edit"):
        by_chat[note.chat].append(note)
    broken = breaks(journal)
    counts["updates"] = journal.counts["update"]
    counts["updates brought twice by plan"] = journal.counts["brought twice"]
    counts["updates refused and brought again"] = journal.counts["not taken"]
    counts["replies"] = journal.counts["say"] + journal.counts["edit"]
    counts |= dict.fromkeys((DIED, FORGOT, TAKEN_BACK), 0)
    counts["residents who had to ask again"] = journal.counts["asked again"]
    for what in MUST_NOT:
        report.fault(what)
    report.fault("updates taken while Redis was away", *_taken_away(journal))
    for chat, notes in by_chat.items():
        if chat not in evidence.logs:  # the web chat's delivery keys tell it: see `pages`
            _pressed(chat, notes, _doubled(chat, notes, broken, report), report)
        _ordered(chat, notes, broken, report)
        _answered(chat, notes, report)


def _taken_away(journal: Journal) -> list[str]:
    """Updates that were said to be taken while nobody could have saved them."""
    spans = [(note.at, note.data["until"]) for note in journal.of("Redis away")]
    return [
        f"{note.chat} {note.data['id']} at {note.data['taken']:.1f}"
        for note in journal.of("update")
        if any(begun <= note.at and note.data.get("taken", until) < until for begun, until in spans)
    ]


def _doubled(chat: str, notes: list[Note], broken: Breaks, report: Report) -> int:
    """The same words with the same buttons, which name the turn, are the same reply; how many were said again."""
    doubled = 0
    earlier: defaultdict[tuple[str, Any], list[Note]] = defaultdict(list)
    answers: defaultdict[tuple[str, Any], list[float]] = defaultdict(list)
    """When a press of its own was answered with it."""
    for note in notes:
        if note.kind == "update":  # what has no buttons may be said in another turn, too
            for text, buttons in list(earlier):
                if not buttons and not text.startswith(SHOWN_AGAIN):
                    del earlier[text, buttons]
        if note.kind != "say":
            continue
        message: Message = note.data["message"]
        key = message.text, message.buttons
        before = earlier[key]
        earlier[key] = [*before, note]
        if message.text.startswith(SHOWN_AGAIN):
            since, presses = _presses(notes, note, message.asked)
            own = sum(at >= since for at in answers[key]) < presses
        else:
            own = not before
        if own or not before:
            answers[key].append(note.at)
            continue
        doubled += 1
        if (found := _cause(before, note, broken)) is not None:
            why, first = found
            report.counts[why] += 1
            earlier[key].remove(first)  # it is said again once
        else:
            first = before[-1]
            what = f"{chat} at {first.at:.1f} by {first.data['who']}, {note.at:.1f} by {note.data['who']}"
            report.fault("replies doubled without a death", f"{what}: {message.text[:60]!r}")
    return doubled


def _cause(before: list[Note], note: Note, broken: Breaks) -> tuple[str, Note] | None:
    """Why ``note`` may be one of ``before`` said again, and which."""
    for first in before:
        until = min(note.at, broken.noted(first.at))
        if any(who == first.data["who"] and first.at - 0.5 <= at <= until for at, who in broken.deaths):
            return DIED, first
    return next(((FORGOT, first) for first in before if broken.lost(first.at, note.at)), None)


def _pressed(chat: str, notes: list[Note], doubled: int, report: Report) -> None:
    """A press leads on, which its message then shows, or belongs to an earlier question: each of them once."""
    presses = sum(note.kind == "update" and note.data.get("asked", 0) > 0 for note in notes)
    led = {
        note.data["message"].ref
        for note in notes
        if note.kind == "edit" and MARK in note.data["message"].text
    }
    shown = sum(note.kind == "say" and note.data["message"].text.startswith(SHOWN_AGAIN) for note in notes)
    if presses and len(led) + shown - doubled > presses:
        report.fault(
            "presses answered twice", f"{chat}: {presses}, {len(led)} led on, {shown} were shown the question"
        )


def _presses(notes: list[Note], shown: Note, asked: int) -> tuple[float, int]:
    """Since when, and how many presses by the time of ``shown`` found another question than theirs, perhaps the one ``asked``.

    It was asked after the question before it was shown; how long after is not seen from here: who asked it may have died.
    One press on each question led on, which the question's message then shows.
    """
    since, latest = 0.0, 0
    number: dict[str, int] = {}
    for note in notes[: notes.index(shown)]:
        message: Message | None = note.data.get("message")
        if note.kind != "say" or message is None or message.asked in {0, latest}:
            continue
        if message.asked == asked:
            break
        since, latest = note.at, message.asked
    for note in notes:
        if note.kind == "say":
            number[note.data["message"].ref] = note.data["message"].asked
    found = Counter(
        note.data["asked"]
        for note in notes
        if note.kind == "update"
        and note.data.get("asked", 0) not in {0, asked}
        and note.at <= shown.at
        and note.data.get("taken", shown.at) >= since - LOST  # it was asked before it was seen
    )
    led = {
        number.get(note.data["message"].ref)
        for note in notes
        if note.kind == "edit" and MARK in note.data["message"].text
    }
    return since, sum(count - (each in led) for each, count in found.items())


def _ordered(chat: str, notes: list[Note], broken: Breaks, report: Report) -> None:
    """A question's number grows with each turn: a smaller one after a larger one was overtaken."""
    highest, since = 0, 0.0
    seen: set[tuple[int, str]] = set()
    for note in notes:
        if note.kind != "say":
            continue
        message: Message = note.data["message"]
        again = (message.asked, message.text) in seen
        seen.add((message.asked, message.text))
        if message.asked > highest:
            highest, since = message.asked, note.at
        elif message.asked and message.asked < highest and not again:
            if broken.lost(since, note.at):
                report.counts[TAKEN_BACK] += 1
                highest, since = message.asked, note.at  # from there it goes on
            else:
                report.fault("replies out of order", f"{chat} at {note.at:.1f}: {message.place}")


def _answered(chat: str, notes: list[Note], report: Report) -> None:
    """Whatever was brought is answered before the resident says something else, and at the end."""
    waiting: Note | None = None
    for note in notes:
        if note.kind == "update" and note.data["answered"]:
            waiting = waiting or note
        elif note.kind in {"say", "edit"}:
            waiting = None
    if waiting is not None and "taken" in waiting.data:
        what = f"{chat} update {waiting.data['id']} at {waiting.at:.1f}, taken at {waiting.data['taken']:.1f}"
        report.fault("updates without a reply", what)


def pages(evidence: Evidence, report: Report) -> None:
    """A page opened anew shows what was shown live, once, in the order of its delivery keys."""
    live: defaultdict[str, set[str]] = defaultdict(set)
    for note in evidence.journal.of("say"):
        live[note.chat].add(note.data["message"].ref)
    doubled: list[str] = []
    vanished: list[str] = []
    for chat, entries in evidence.logs.items():
        keys = [entry["key"] for entry in entries]
        doubled += [f"{chat} {key}" for key, count in Counter(keys).items() if count > 1]
        vanished += [f"{chat} {ref}" for ref in live[chat] - {entry["id"] for entry in entries}]
    report.fault("web entries doubled", *doubled)
    lost = "web entries lost with a Redis primary"
    if evidence.journal.counts["failover"]:
        report.counts[lost] = len(vanished)
    else:
        report.fault(lost, *vanished)
