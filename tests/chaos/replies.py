"""The auditor's view on what was said: each update answered, nothing said twice, questions in the order they were asked."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from tests.chaos.evidence import Evidence, Report
from tests.chaos.journal import Journal, Note
from tests.chaos.mail import Message

NOTED: Final = 3.0
"""Seconds after which a delivery must be noted in Redis, while Redis is there; a process that died later died after it."""
LOST: Final = 5.0
"""Seconds before its death in which a Redis primary may have said yes to what its replica never saw."""
DYING: Final = 1.0
"""Seconds between the note that a Redis primary is killed and its death, on a busy machine."""
SHOWN_AGAIN: Final = "That button belongs to an earlier question"
"""Begins what is said to a press on an earlier question; each press of the kind brings the current question again."""
WORKING: Final = "One moment, I am still asking."
"""Begins what is said to whoever writes or presses while an effect is under way."""
HOME: Final = "home/"
"""Begins the places of the greeting and of the menu."""
MARK: Final = "✓"
"""Stands in a question's message beside what was pressed."""
DOUBLE_TAP: Final = 6.0
"""Seconds within which the same button again is a slip of the finger to the service: five whole ones of its clock."""

DOUBLED: Final = "replies doubled without a death"
TWICE: Final = "presses answered twice"
MUST_NOT: Final = (DOUBLED, "replies out of order", "updates without a reply", TWICE)

DIED: Final = "doubled: process died before noting it"
POOR: Final = "doubled: process died, Redis was poor since"
FORGOT: Final = "doubled: Redis primary died with the note"
FAILED_OVER: Final = "doubled: said while a Redis primary was dead"
TAKEN_BACK: Final = "turns taken back by a failover"
SLIPS: Final = "presses again within five seconds, not answered"


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

    def forgotten(self, at: float, seen: float) -> bool:
        """Whether that primary still lived at ``at``: only then can it have said yes."""
        return any(begun - LOST <= at <= begun + DYING and begun <= seen for begun, _ in self.failovers)


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
    for note in journal.of("update", "say", "edit", "settled"):
        by_chat[note.chat].append(note)
    broken = breaks(journal)
    counts["updates"] = journal.counts["update"]
    counts["updates brought twice by plan"] = journal.counts["brought twice"]
    counts["updates refused and brought again"] = journal.counts["not taken"]
    counts["replies"] = journal.counts["say"] + journal.counts["edit"]
    counts |= dict.fromkeys((DIED, POOR, FORGOT, FAILED_OVER, TAKEN_BACK, SLIPS), 0)
    counts["residents who had to ask again"] = journal.counts["asked again"]
    for what in MUST_NOT:
        report.fault(what)
    report.fault("updates taken while Redis was away", *_taken_away(journal))
    for chat, notes in by_chat.items():
        if chat not in evidence.logs:  # the web chat's delivery keys tell it: see `pages`
            _doubled(chat, notes, broken, report)
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


def _doubled(chat: str, notes: list[Note], broken: Breaks, report: Report) -> None:
    """The same words with the same buttons, which name the turn, are the same reply.

    But for what a press on an earlier question is told: each of these presses is told it, in the same words.
    """
    earlier: defaultdict[tuple[str, Any], list[Note]] = defaultdict(list)
    unasked = _unasked(chat, notes, broken, report)
    patience = Patience()
    for note in notes:
        if note.kind == "update":  # what has no buttons may be said in another turn, too
            patience.updates += 1
            for text, buttons in list(earlier):
                if not buttons and not text.startswith(SHOWN_AGAIN):
                    del earlier[text, buttons]
        if note.kind != "say":
            continue
        key = _key(note)
        before = earlier[key]
        earlier[key] = [*before, note]
        if note.data["message"].place and not before:
            patience = patience.after(note.data["message"].place)
        if note not in unasked if key[0].startswith(SHOWN_AGAIN) else not before:
            continue
        if (found := _cause(before, note, broken)) is not None:
            why, first = found
            report.counts[why] += 1
            earlier[key].remove(first)  # it is said again once
        elif key[0].startswith(WORKING) and patience.explains():
            continue
        elif before:
            first = before[-1]
            what = f"{chat} at {first.at:.1f} by {first.data['who']}, {note.at:.1f} by {note.data['who']}"
            report.fault(DOUBLED, f"{what}: {key[0][:60]!r}")
        else:
            report.fault(TWICE, f"{chat} at {note.at:.1f} by {note.data['who']}: nobody pressed")


@dataclass
class Patience:
    """What was brought since the last new question, and how often somebody was told to wait without another reason.

    Answers may come late, those to several updates at once. The first update is what is being asked for.
    """

    updates: int = 0
    told: int = 1
    """The first time needs no explanation."""

    def after(self, place: str) -> "Patience":
        """After a new question at ``place``. Home is never what an effect came to: it answers one update, and what was brought
        in the same breath may still be what is being asked for.
        """
        return Patience(max(0, self.updates - self.told) if place.startswith(HOME) else 0)

    def explains(self) -> bool:
        """Whether it may be told once more: once to each update but the first."""
        self.told += 1
        return self.told <= self.updates - 1


def _key(note: Note) -> tuple[str, Any]:
    """What is the same of the same reply."""
    return note.data["message"].text, note.data["message"].buttons


def _cause(before: list[Note], note: Note, broken: Breaks) -> tuple[str, Note] | None:
    """Why ``note`` may be one of ``before`` said again, and which.

    What a process says may arrive after its death, where whoever listens is busy: nobody is left to note it then.
    """
    for why, noted in ((DIED, NOTED), (POOR, None)):
        for first in before:
            until = min(note.at, broken.noted(first.at) if noted is None else first.at + noted)
            if any(who == first.data["who"] and at <= until for at, who in broken.deaths):
                return why, first
    for why, within in ((FORGOT, broken.forgotten), (FAILED_OVER, broken.lost)):
        for first in before:
            if within(first.at, note.at):
                return why, first
    return None


# --- presses ----------------------------------------------------------------------------------------


@dataclass
class Presses:
    """What was pressed in a chat, and what each press came to: it leads on once, or is told once that it is late.

    Attributes:
        made: the presses.
        led: messages that show that a press on their question led on, and when they did: a message is changed once.
        answers: presses by their place, each with what it came to.
    """

    made: list[Note]
    led: list[tuple[float, int]]
    answers: dict[int, int] = field(default_factory=dict[int, int])

    @classmethod
    def of(cls, notes: list[Note]) -> "Presses":
        """Those of one chat."""
        number = {
            note.data["message"].ref: note.data["message"].asked for note in notes if note.kind == "say"
        }
        shown: dict[str, float] = {}
        for note in notes:
            if note.kind in {"edit", "settled"} and MARK in note.data["message"].text:
                shown.setdefault(note.data["message"].ref, note.at)
        made = [note for note in notes if note.kind == "update" and note.data.get("asked", 0)]
        return cls(made, [(at, number[ref]) for ref, at in shown.items() if number.get(ref)])

    def since(self, told: Note) -> float:
        """Before this moment nobody was told ``told``: what led to the question it shows was not pressed yet."""
        asked = told.data["message"].asked
        # Where it shows none, an effect is under way, and what was seen to lead on before has led there.
        before = max((n for at, n in self.led if (n < asked if asked else at <= told.at)), default=0)
        return next((note.at for note in self.made if note.data["asked"] == before), 0.0)

    def on(self, asked: int, until: float) -> list[int]:
        """Presses on the question ``asked``."""
        return [n for n, note in enumerate(self.made) if note.data["asked"] == asked and note.at <= until]

    def late_for(self, told: Note) -> list[int]:
        """Presses that may have been told ``told``: on an earlier question, and not seen through too early."""
        since = self.since(told)
        shown = told.data["message"].asked  # none while an effect is under way
        return [
            number
            for number, note in enumerate(self.made)
            if (note.data["asked"] < shown or not shown)
            and note.at <= told.at
            and note.data.get("taken", told.at) >= since
        ]

    def match(self, choices: list[list[int]]) -> list[int]:
        """Find each of ``choices`` a press of its own, the first ones first; those that there is none for."""

        def found(wanting: int, tried: set[int]) -> bool:
            for press in choices[wanting]:
                if press in tried:
                    continue
                tried.add(press)
                if press not in self.answers or found(self.answers[press], tried):
                    self.answers[press] = wanting
                    return True
            return False

        return [each for each in range(len(choices)) if not found(each, set())]


def _unasked(chat: str, notes: list[Note], broken: Breaks, report: Report) -> list[Note]:
    """Of what was told to presses on earlier questions, that for which there is no such press: it was said again.

    Which press belongs to which is not seen from here: as many are found one as can be, first of all those that nothing
    else explains.
    """
    presses = Presses.of(notes)
    told = [
        note for note in notes if note.kind == "say" and note.data["message"].text.startswith(SHOWN_AGAIN)
    ]
    needy, others = list[Note](), list[Note]()
    for place, note in enumerate(told):
        before = [each for each in told[:place] if _key(each) == _key(note)]
        (needy if _cause(before, note, broken) is None else others).append(note)
    choices = [presses.on(asked, at) for at, asked in presses.led]
    choices += [presses.late_for(note) for note in (*needy, *others)]
    left = presses.match(choices)
    led = len(presses.led)
    more = [presses.led[each] for each in left if each < led]
    report.fault(TWICE, *(f"{chat} at {at:.1f}: {asked} led on once more than pressed" for at, asked in more))
    return [(*needy, *others)[each - led] for each in left if each >= led]


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
    waiting: list[Note] = []
    for note in notes:
        if note.kind == "update" and note.data["answered"]:
            waiting.append(note)
        elif note.kind in {"say", "edit"}:
            waiting.clear()
    for each in waiting:
        if "taken" not in each.data:
            continue
        if _slip(notes, each):
            report.counts[SLIPS] += 1
        else:
            what = f"{chat} update {each.data['id']} at {each.at:.1f}, taken at {each.data['taken']:.1f}"
            report.fault("updates without a reply", what)


def _slip(notes: list[Note], press: Note) -> bool:
    """Whether it is the same button once more, within `DOUBLE_TAP` seconds of a press that led on: that one is answered.

    The answer has to be there, and later than the question.
    """
    asked, button = press.data.get("asked", 0), press.data.get("button")
    if asked not in {number for _, number in Presses.of(notes).led}:
        return False
    before = [
        note
        for note in notes
        if note.kind == "update"
        and note.at < press.at
        and note.data.get("asked", 0) == asked
        and note.data.get("button") == button
    ]
    answered = any(
        note.kind == "say" and note.data["message"].asked > asked and note.at >= before[0].at
        for note in notes
        if before
    )
    return answered and any(press.at - note.data.get("taken", press.at) < DOUBLE_TAP for note in before)


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
