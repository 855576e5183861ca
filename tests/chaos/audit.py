"""The auditor: what the counterparts saw against what the ledger says. Shares no code with the product."""

from collections import Counter, defaultdict
from typing import Any, Final

from tests.chaos.evidence import Evidence, Report
from tests.chaos.journal import Note
from tests.chaos.replies import pages, replies

__all__ = ["Evidence", "Report", "audit"]

HONEST: Final = ("nothing to pay", "nothing to renew", "looked up", "cancelled", "paid")


def audit(evidence: Evidence) -> Report:
    """Compare."""
    report = Report(about={"ledger": evidence.ledger}, errors=evidence.errors)
    _troubles(evidence, report)
    _walks(evidence, report)
    replies(evidence, report)
    pages(evidence, report)
    _money(evidence, report)
    _postings(evidence, report)
    _sessions(evidence, report)
    return report


def _troubles(evidence: Evidence, report: Report) -> None:
    counts = evidence.journal.counts
    kinds = ("kill", "failover", "ledger restarted", "network", "process did not start", "bot api refused")
    report.troubles = {kind: counts[kind] for kind in kinds}
    starts = "process ended by itself"
    report.fault(
        starts, *(f"{note.data['who']}: {note.data['status']}" for note in evidence.journal.of(starts))
    )
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
    report.fault("walks lost", *(_told(each) for each in ends.values() if each.data["end"] == "lost"))
    report.fault("walks without an end", *sorted(begun - set(ends)))
    report.counts["walks that there was no time for"] = max(0, evidence.planned - len(begun))
    late = [_told(each) for each in ends.values() if each.data["end"] in {"late", ""}]
    report.counts["walks out of time"] = len(late)
    report.findings += [f"out of time: {each}" for each in late]


def _told(note: Note) -> str:
    return f"{note.chat} {note.data.get('plan', '')} at {note.data.get('place', '')}"


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
    report.fault("money taken for no order", *strange)
    report.fault(
        "money taken twice",
        *(orders[each]["ref"] for each, found in tracks.items() if len(found) > 1),
    )
    amounts = (
        orders[each]["ref"]
        for each, found in tracks.items()
        if _fils(found[0]["amount"]) != orders[each]["total_fils"]
    )
    report.fault("another amount taken than ordered", *amounts)
    settled = {each["id"] for each in evidence.orders if each["status"] in {"paid", "posted"}}
    report.fault("called paid, nothing taken", *(orders[each]["ref"] for each in settled - set(tracks)))
    missed = [orders[each] for each in set(tracks) - settled]
    report.fault(
        "taken, not known as paid",
        *(f"{each['ref']} {each['status']} {each['reason']}" for each in missed),
    )
    report.counts["orders"] = len(orders)
    report.counts["orders paid"] = len(settled)
    report.counts["fils taken"] = sum(_fils(charge["amount"]) for charge in taken)
    report.counts["fils in the ledger"] = sum(orders[each]["total_fils"] for each in settled)
    live = Counter(item["number"] for item in evidence.items if item["live"])
    report.fault("a fine in two live orders", *(number for number, count in live.items() if count > 1))
    paid = Counter(item["number"] for item in evidence.items if item["order_id"] in tracks)
    report.fault("a fine paid in two orders", *(number for number, count in paid.items() if count > 1))
    report.fault("paid walks not told", *_untold(evidence, tracks, orders))


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
    report.fault("orders recorded twice", *(ref for ref, count in recorded.items() if count > 1))
    report.fault("lines recorded twice", *(number for number, count in fines.items() if count > 1))
    refs = {ref[:12] for ref in recorded}
    posted = {order["ref"] for order in evidence.orders if order["status"] == "posted"}
    paid = {order["ref"] for order in evidence.orders if order["status"] in {"paid", "posted"}}
    due = {order["ref"] for order in evidence.orders if order["status"] == "paid" and order["post_due"]}
    report.fault("called posted, not recorded", *(posted - refs))
    report.fault("recorded, not paid", *(refs - paid))
    report.fault("taken and not posted", *(paid - posted - due))
    report.counts["orders posted"] = len(posted)
    report.counts["orders still to be posted"] = len(due)
    report.counts["fils recorded"] = told


def _sessions(evidence: Evidence, report: Report) -> None:
    chats = {note.chat for note in evidence.journal.of("update") if "taken" in note.data}
    report.counts["sessions"] = evidence.sessions
    report.fault("outbox entries left", *evidence.outbox)
    report.fault("sessions missing", *(["in Redis"] * max(0, len(chats) - evidence.sessions)))
    report.fault("sessions put aside", *(["in Redis"] * evidence.aside))
    report.fault("sessions begun anew", *(_told(note) for note in evidence.journal.of("session lost")))
