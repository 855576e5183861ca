"""The auditor: what the counterparts saw against what the ledger says. Shares no code with the product."""

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from tests.chaos.journal import Journal, Note
from tests.chaos.mail import Message

NOTED: Final = 3.0
"""Seconds after which a delivery must be noted in Redis; a process that died later died after it."""

LOST_WRITES: Final = 60.0
"""Seconds around a failover in which what its dead primary had not passed on shows."""

HONEST: Final = ("nothing to pay", "nothing to renew", "looked up", "cancelled", "paid")


@dataclass(frozen=True)
class Evidence:
    """All that is known at the end.

    Attributes:
        journal: what walkers, Bot API, faults noted.
        book: what registry and gateway did.
        orders, items, attempts: the ledger's rows.
        outbox: entries left in Redis.
        sessions, aside: sessions in Redis, and those put aside as unreadable.
        logs: the web chats' logs, read anew.
        errors: error lines of the service's logs.
        ledger: which database.
    """

    journal: Journal
    book: dict[str, Any]
    orders: list[dict[str, Any]]
    items: list[dict[str, Any]]
    attempts: list[dict[str, Any]]
    outbox: int
    sessions: int
    aside: int
    logs: dict[str, list[dict[str, Any]]]
    errors: dict[str, int]
    ledger: str


@dataclass
class Report:
    """What it comes to. Everything in ``must_be_nothing`` is a fault of the service."""

    about: dict[str, Any] = field(default_factory=dict[str, Any])
    troubles: dict[str, int] = field(default_factory=dict[str, int])
    ends: dict[str, int] = field(default_factory=dict[str, int])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    must_be_nothing: dict[str, int] = field(default_factory=dict[str, int])
    findings: list[str] = field(default_factory=list[str])
    errors: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def good(self) -> bool:
        return not any(self.must_be_nothing.values())

    def json(self) -> dict[str, Any]:
        return asdict(self)


def audit(evidence: Evidence) -> Report:
    """Compare."""
    report = Report(about={"ledger": evidence.ledger}, errors=evidence.errors)
    _troubles(evidence, report)
    _walks(evidence, report)
    _replies(evidence, report)
    _weblogs(evidence, report)
    _money(evidence, report)
    _postings(evidence, report)
    _sessions(evidence, report)
    return report


def _fault(report: Report, what: str, *found: str) -> None:
    """Count ``found`` under ``what``, which must be nothing."""
    report.must_be_nothing[what] = report.must_be_nothing.get(what, 0) + len(found)
    report.findings += [f"{what}: {each}" for each in found]


def _troubles(evidence: Evidence, report: Report) -> None:
    counts = evidence.journal.counts
    kinds = ("kill", "failover", "ledger restarted", "network", "process did not start", "bot api refused")
    report.troubles = {kind: counts[kind] for kind in kinds}
    report.troubles |= {f"outside {way}": count for way, count in sorted(evidence.book["calls"].items())}
    report.about |= {
        "seconds of walking": round(next((n.at for n in evidence.journal.of("walks over")), 0.0)),
        "slowest failover (s)": max((n.data["seconds"] for n in evidence.journal.of("failover")), default=0),
    }


# --- the walks ------------------------------------------------------------------------------------------


def _walks(evidence: Evidence, report: Report) -> None:
    begun = {note.chat for note in evidence.journal.of("begin")}
    ends = {note.chat: note for note in evidence.journal.of("end")}
    report.ends = dict(sorted(Counter(note.data["end"] or "cut short" for note in ends.values()).items()))
    honest = [each for each in ends.values() if each.data["end"].startswith((*HONEST, "refused"))]
    report.counts["walks"] = len(begun)
    report.counts["walks ended honestly"] = len(honest)
    _fault(report, "walks lost", *(_told(each) for each in ends.values() if each.data["end"] == "lost"))
    _fault(report, "walks without an end", *sorted(begun - set(ends)))
    late = [_told(each) for each in ends.values() if each.data["end"] in {"late", ""}]
    report.counts["walks out of time"] = len(late)
    report.findings += [f"out of time: {each}" for each in late]


def _told(note: Note) -> str:
    return f"{note.chat} {note.data.get('plan', '')} at {note.data.get('place', '')}"


# --- what was said --------------------------------------------------------------------------------------


def _replies(evidence: Evidence, report: Report) -> None:
    """Each update answered, nothing said twice, questions in the order in which they were asked."""
    by_chat: defaultdict[str, list[Note]] = defaultdict(list)
    for note in evidence.journal.of("update", "say", "edit", "brought twice", "not taken"):
        by_chat[note.chat].append(note)
    deaths = [(note.at, note.data["who"]) for note in evidence.journal.of("kill")]
    failovers = [note.at for note in evidence.journal.of("primary killed")]
    counts = report.counts
    counts["updates"] = evidence.journal.counts["update"]
    counts["updates brought twice by plan"] = evidence.journal.counts["brought twice"]
    counts["updates refused and brought again"] = evidence.journal.counts["not taken"]
    counts["replies"] = evidence.journal.counts["say"] + evidence.journal.counts["edit"]
    for name in ("doubled: process died before noting it", "doubled: Redis primary died with the note"):
        counts[name] = 0
    _fault(report, "replies doubled without a death")
    _fault(report, "replies out of order")
    _fault(report, "updates without a reply")
    for chat, notes in by_chat.items():
        if chat not in evidence.logs:  # the web chat's delivery keys tell it: see `_weblogs`
            _doubled(chat, notes, deaths, failovers, report)
        _ordered(chat, notes, failovers, report)
        _answered(chat, notes, report)


def _doubled(
    chat: str, notes: list[Note], deaths: list[tuple[float, str]], failovers: list[float], report: Report
) -> None:
    last: dict[tuple[str, Any], Note] = {}
    for note in notes:
        if note.kind == "update":
            last.clear()
        if note.kind != "say":
            continue
        message: Message = note.data["message"]
        key = message.text, message.buttons
        first = last.get(key)
        last[key] = note
        if first is None:
            continue
        died = any(who == first.data["who"] and -0.5 <= at - first.at <= NOTED for at, who in deaths)
        if died:
            report.counts["doubled: process died before noting it"] += 1
        elif any(
            at - note.at >= -LOST_WRITES and at - first.at <= NOTED for at in failovers if at <= note.at
        ):
            report.counts["doubled: Redis primary died with the note"] += 1
        else:
            what = f"{chat} at {first.at:.1f} by {first.data['who']}, {note.at:.1f} by {note.data['who']}"
            _fault(report, "replies doubled without a death", f"{what}: {message.text[:60]!r}")


def _ordered(chat: str, notes: list[Note], failovers: list[float], report: Report) -> None:
    """A question's number grows with each turn: a smaller one after a larger one was overtaken."""
    highest = 0
    seen: set[tuple[int, str]] = set()
    for note in notes:
        if note.kind != "say":
            continue
        message: Message = note.data["message"]
        again = (message.asked, message.text) in seen
        seen.add((message.asked, message.text))
        if message.asked and message.asked < highest and not again:
            if any(0 <= note.at - at <= LOST_WRITES for at in failovers):
                report.counts["turns taken back by a failover"] = (
                    report.counts.get("turns taken back by a failover", 0) + 1
                )
            else:
                _fault(report, "replies out of order", f"{chat} at {note.at:.1f}: {message.place}")
        highest = max(highest, message.asked)


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
        _fault(report, "updates without a reply", what)


def _weblogs(evidence: Evidence, report: Report) -> None:
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
    _fault(report, "web entries doubled", *doubled)
    lost = "web entries lost with a Redis primary"
    if evidence.journal.counts["failover"]:
        report.counts[lost] = len(vanished)
    else:
        _fault(report, lost, *vanished)


# --- money ----------------------------------------------------------------------------------------------


def _fils(amount: str) -> int:
    dinars, _, fils = amount.partition(".")
    return int(dinars) * 1000 + int(fils)


def _money(evidence: Evidence, report: Report) -> None:
    """What the gateway took against what the ledger, and the resident, know of it."""
    by_track = {attempt["track"]: attempt for attempt in evidence.attempts}
    orders = {order["id"]: order for order in evidence.orders}
    taken = [charge for charge in evidence.book["charges"] if charge["status"] == "CAPTURED"]
    tracks: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    strange = [charge["track"] for charge in taken if charge["track"] not in by_track]
    for charge in taken:
        if charge["track"] in by_track:
            tracks[by_track[charge["track"]]["order_id"]].append(charge)
    _fault(report, "money taken for no order", *strange)
    _fault(
        report,
        "money taken twice",
        *(orders[each]["ref"] for each, found in tracks.items() if len(found) > 1),
    )
    amounts = (
        orders[each]["ref"]
        for each, found in tracks.items()
        if _fils(found[0]["amount"]) != orders[each]["total_fils"]
    )
    _fault(report, "another amount taken than ordered", *amounts)
    settled = {each["id"] for each in evidence.orders if each["status"] in {"paid", "posted"}}
    _fault(report, "called paid, nothing taken", *(orders[each]["ref"] for each in settled - set(tracks)))
    missed = [orders[each] for each in set(tracks) - settled]
    _fault(
        report,
        "taken, not known as paid",
        *(f"{each['ref']} {each['status']} {each['reason']}" for each in missed),
    )
    report.counts["orders"] = len(orders)
    report.counts["orders paid"] = len(settled)
    report.counts["fils taken"] = sum(_fils(charge["amount"]) for charge in taken)
    report.counts["fils in the ledger"] = sum(orders[each]["total_fils"] for each in settled)
    live = Counter(item["number"] for item in evidence.items if item["live"])
    _fault(report, "a fine in two live orders", *(number for number, count in live.items() if count > 1))
    paid = Counter(item["number"] for item in evidence.items if item["order_id"] in tracks)
    _fault(report, "a fine paid in two orders", *(number for number, count in paid.items() if count > 1))
    _fault(report, "paid walks not told", *_untold(evidence, tracks, orders))


def _untold(
    evidence: Evidence, tracks: dict[int, list[dict[str, Any]]], orders: dict[int, dict[str, Any]]
) -> list[str]:
    """References of taken orders of which no chat ever heard as a receipt."""
    receipts = " ".join(
        note.data["message"].text
        for note in evidence.journal.of("say", "edit")
        if "✓" in note.data["message"].text
    )
    receipts += " ".join(str(entry) for entries in evidence.logs.values() for entry in entries)
    return [orders[each]["ref"] for each in tracks if orders[each]["ref"] not in receipts]


def _postings(evidence: Evidence, report: Report) -> None:
    """What the registry recorded against what was taken."""
    recorded: Counter[str] = Counter()
    fines: Counter[str] = Counter()
    told = 0
    for each in evidence.book["recordings"]:
        if each["status"] == 201:
            recorded[each["asked"]["order"]] += 1
            fines.update(item.get("fine") or item.get("permit") for item in each["asked"]["items"])
            told += sum(item["fils"] for item in each["asked"]["items"])
    _fault(report, "orders recorded twice", *(ref for ref, count in recorded.items() if count > 1))
    _fault(report, "lines recorded twice", *(number for number, count in fines.items() if count > 1))
    refs = {ref[:12] for ref in recorded}
    posted = {order["ref"] for order in evidence.orders if order["status"] == "posted"}
    paid = {order["ref"] for order in evidence.orders if order["status"] in {"paid", "posted"}}
    due = {order["ref"] for order in evidence.orders if order["status"] == "paid" and order["post_due"]}
    _fault(report, "called posted, not recorded", *(posted - refs))
    _fault(report, "recorded, not paid", *(refs - paid))
    _fault(report, "taken and not posted", *(paid - posted - due))
    report.counts["orders posted"] = len(posted)
    report.counts["orders still to be posted"] = len(due)
    report.counts["fils recorded"] = told


def _sessions(evidence: Evidence, report: Report) -> None:
    chats = {note.chat for note in evidence.journal.of("update") if "taken" in note.data}
    report.counts["sessions"] = evidence.sessions
    _fault(report, "outbox entries left", *(["in Redis"] * evidence.outbox))
    _fault(report, "sessions missing", *(["in Redis"] * max(0, len(chats) - evidence.sessions)))
    _fault(report, "sessions put aside", *(["in Redis"] * evidence.aside))
    _fault(report, "sessions begun anew", *(_told(note) for note in evidence.journal.of("session lost")))
