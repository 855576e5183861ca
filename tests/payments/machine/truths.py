"""What must hold after every step, and what must have come true in the end.

The tables of allowed changes are written from the design (payments reference, 4; the ledger's ADR), not from
the code.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final

from bot.model import Woken
from tests.payments.machine.bank import Bank, Charge, Word
from tests.payments.machine.databases import Book, Rows
from tests.payments.machine.town import Registry

Row = dict[str, Any]
Change = tuple[str, str, str]
"""Of what (``order``, ``attempt``, ``refund``), from what, to what; from nothing at the beginning."""

OPEN: Final = ("CREATED", "LINKED", "PENDING", "UNKNOWN")
MOVING: Final = ("asked", "pending", "unknown")
TAKEN: Final = ("PAID", "REVIEW", "REFUNDED")
"""Where money that was taken is looked after."""

DAY: Final = 24 * 3600
REGISTRY_WORDS: Final = ("already_paid", "unknown_fine", "partly")


def _changes(kind: str, table: dict[str, str]) -> set[Change]:
    return {(kind, before, after) for before, words in table.items() for after in words.split()}


ALLOWED: Final[frozenset[Change]] = frozenset(
    _changes(
        "order",
        {
            "": "open",
            "open": "paid cancelled review",
            "cancelled": "open paid review",
            "paid": "posted review refunded",
            "posted": "review refunded",
            "review": "paid posted cancelled refunded",
        },
    )
    | _changes(
        "attempt",
        {
            "": "CREATED",
            "CREATED": "LINKED UNKNOWN EXPIRED REVIEW",
            "LINKED": "PENDING UNKNOWN PAID FAILED EXPIRED REVIEW",
            "PENDING": "LINKED UNKNOWN PAID FAILED EXPIRED REVIEW",
            "UNKNOWN": "LINKED PENDING PAID FAILED EXPIRED REVIEW",
            "FAILED": "PAID REVIEW",
            "EXPIRED": "PAID FAILED REVIEW",
            "REVIEW": "PAID EXPIRED REFUNDED",
            "PAID": "REFUNDED",
        },
    )
    | _changes(
        "refund",
        {
            "": "asked",
            "asked": "pending unknown done refused",
            "pending": "unknown done refused",
            "unknown": "pending done refused",
        },
    )
)

_HISTORIES: Final = (
    ("order", "orders", "order_history", "order_id"),
    ("attempt", "attempts", "attempt_history", "attempt_id"),
    ("refund", "refunds", "refund_history", "refund_id"),
)
_NEVER_CHANGES: Final = {
    "orders": ("ref", "key", "chat", "chat_blind", "total_fils", "currency", "created"),
    "order_items": ("order_id", "position", "number", "fils", "part"),
    "postings": ("order_id", "part"),
    "attempts": ("order_id", "provider", "track", "fils", "currency", "created"),
    "refunds": ("attempt_id", "key", "fils", "created"),
    "notices": ("name", "order_id", "kind"),
}


class Untrue(AssertionError):
    """Something that must hold does not."""


def must(holds: object, what: str, *about: object) -> None:
    if not holds:
        raise Untrue(f"{what}: {' '.join(map(str, about))}")


class Truths:
    """Holds what the ledger says against the bank and the registry."""

    def __init__(self, bank: Bank, registry: Registry) -> None:
        self._bank = bank
        self._registry = registry
        self._before: Book = {}
        self.seen: set[Change] = set()

    def check(self, book: Book, now: int) -> None:
        """After any step."""
        if book == self._before:
            return
        self._histories(book)
        self._constants(book)
        _duties(book)
        _fines(book, now)
        self._money(book, now)
        self._before = book

    # --- after every step ------------------------------------------------------------------------

    def _histories(self, book: Book) -> None:
        for kind, table, history, parent in _HISTORIES:
            lines = book[history]
            old = self._before.get(history, [])
            must(lines[: len(old)] == old, "a history only grows", history)
            steps: dict[int, Rows] = {row["id"]: [] for row in book[table]}
            for line in lines:
                steps[line[parent]].append(line)
            for row in book[table]:
                mine = steps[row["id"]]
                must(mine and mine[-1]["status"] == row["status"], "history explains the state", kind, row)
                words = ["", *(line["status"] for line in mine)]
                changes = {(kind, a, b) for a, b in pairwise(words) if a != b}
                must(changes <= ALLOWED, "an allowed change", changes - ALLOWED)
                must(all(a["at"] <= b["at"] for a, b in pairwise(mine)), "times go forward", kind, mine)
                self.seen |= changes

    def _constants(self, book: Book) -> None:
        for table, names in _NEVER_CHANGES.items():
            for old, new in zip(self._before.get(table, []), book[table], strict=False):
                must(all(old[name] == new[name] for name in names), "constant", table, old, new)
        for old, new in zip(self._before.get("orders", []), book["orders"], strict=False):
            must(old["paid_at"] in {0, new["paid_at"]}, "paid once", new["ref"])
        for old, new in zip(self._before.get("notices", []), book["notices"], strict=False):
            must(not old["told_at"] or old == new, "told is told", new)
        for old, new in zip(self._before.get("postings", []), book["postings"], strict=False):
            must(old["status"] != "posted" or old == new, "recorded is recorded", new)

    def _money(self, book: Book, now: int) -> None:
        orders = {row["id"]: row for row in book["orders"]}
        attempts = {row["id"]: row for row in book["attempts"]}
        paid = Counter(row["order_id"] for row in attempts.values() if row["status"] == "PAID")
        must(all(number == 1 for number in paid.values()), "one payment of an order", paid)
        for row in attempts.values():
            charge = self._bank.charges.get(row["track"])
            if row["status"] in {"PAID", "REFUNDED"} and row["status"] == "PAID":
                must(charge, "the bank knows what is paid", row["track"])
                _agrees(row, charge)
                must(orders[row["order_id"]]["paid_at"], "a paid order says when", row)
            if row["captured"] and charge and charge.named == charge.track and row["status"] in TAKEN:
                must(row["captured"] == charge.dinars_taken, "captured is what was taken", row, charge)
        for order in orders.values():
            if order["status"] in {"paid", "posted"}:
                must(paid[order["id"]], "a paid order has its payment", order["ref"])
                rest = {row["status"] for row in attempts.values() if row["order_id"] == order["id"]}
                must(not rest & set(OPEN), "payment ends all other tries", order["ref"], rest)
            if order["status"] in {"open", "cancelled"}:
                must(not paid[order["id"]], "what is paid is not open", order["ref"], order["status"])
            if order["status"] == "posted":
                must(order["reason"] or self._all_recorded(book, order), "posted is recorded", order["ref"])
        for row in book["postings"]:
            name = _parts(book, orders[row["order_id"]])[row["part"]]
            must(row["status"] != "posted" or name in self._registry.recorded, "posted is recorded", name)
        for charge in self._bank.charges.values():
            must(charge.track in {row["track"] for row in attempts.values()}, "a charge of ours", charge)
        self._refunds(book, attempts, now)

    def _refunds(self, book: Book, attempts: dict[int, Row], now: int) -> None:
        done: Counter[str] = Counter()
        for row in book["refunds"]:
            if row["status"] == "done":
                done[attempts[row["attempt_id"]]["track"]] += row["fils"]
        for charge in self._bank.charges.values():
            back = charge.went_back(now)
            must(back <= charge.taken, "no more goes back than was taken", charge)
            must(done[charge.track] <= back, "what is done went back", charge, done[charge.track])
        for row in attempts.values():
            if row["status"] == "REFUNDED":
                charge = self._bank.charges[row["track"]]
                must(charge.went_back(now) >= charge.taken, "refunded is refunded", charge)

    # --- of what is told -------------------------------------------------------------------------

    def judge(self, woken: Woken, book: Book) -> None:
        """Whether ``woken`` is true by what is committed when it is told."""
        order = next((row for row in book["orders"] if row["ref"] == woken.ref), None)
        assert order is not None
        must(woken.id in {row["name"] for row in book["notices"]}, "only owed notices are told", woken.id)
        mine = [row for row in book["attempts"] if row["order_id"] == order["id"]]
        match woken.kind:
            case "paid":
                paid = [row for row in mine if row["status"] in {"PAID", "REFUNDED"}]
                must(order["paid_at"] and paid, "told paid and is", order)
            case "posted":
                must(self._all_recorded(book, order), "told posted and is", order)
            case "refused":
                about = next(row for row in mine if woken.id.endswith(f":{row['id']}"))
                must(about["status"] in {"FAILED", "EXPIRED"}, "told refused and is", about)
                must(woken.data["status"] in {"refused", "cancelled"}, "told as it stands", woken.data)
            case "review":
                waits = order["status"] == "review" or "REVIEW" in {row["status"] for row in mine}
                must(waits, "told review and is", order, woken.data)
            case _:
                refund = next(row for row in book["refunds"] if woken.id.endswith(row["key"]))
                must(refund["status"] == "done", "told refunded and is", refund)
                must(woken.data["refunded"] == refund["fils"], "told the amount that went back", refund)

    # --- in the end ------------------------------------------------------------------------------

    def _all_recorded(self, book: Book, order: Row) -> bool:
        return set(_parts(book, order).values()) <= self._registry.recorded.keys()

    def missed(self, book: Book, charges: Iterable[Charge]) -> list[Charge]:
        """Those of ``charges`` whose money was taken and that nobody looks after."""
        held = {row["track"] for row in book["attempts"] if row["status"] in TAKEN}
        return [charge for charge in charges if charge.dinars_taken and charge.track not in held]

    def end(self, book: Book, news: list[Woken]) -> None:
        """When all outages are over and more than a day has passed."""
        must(not self.missed(book, self._bank.charges.values()), "no money is lost", book["attempts"])
        told = Counter(woken.id for woken in news)
        for notice in book["notices"]:
            must(notice["told_at"], "every notice is dealt with", notice)
            if notice["kind"] in {"paid", "posted", "refunded"}:
                must(told[notice["name"]], "told", notice)
        for row in book["attempts"]:
            must(row["status"] not in OPEN, "nothing stays open", row)
            if row["status"] == "REVIEW":
                must(_told_of(row, book, told), "what is reviewed is told", row)
                charge = self._bank.charges.get(row["track"])
                spoken = charge is not None and charge.taken and charge.last is Word.CAPTURED
                must(not (spoken and row["reason"] == "silent"), "silence ends when the bank speaks", row)
        for order in book["orders"]:
            must(order["status"] != "paid", "what is paid is recorded", order)
            names = {f"order:{order['ref']}:paid"} & told.keys()
            must(bool(names) == bool(order["paid_at"]), "paid is told by one event", order)
            if order["status"] == "review" and order["reason"] in REGISTRY_WORDS:
                heard = {(woken.ref, woken.kind, woken.data["reason"]) for woken in news}
                must(heard & {(order["ref"], "review", word) for word in REGISTRY_WORDS}, "told", order)
            self._settled_well(book, order)
        for row in book["refunds"]:
            must(row["status"] not in {"asked", "pending"}, "a refund comes to an end", row)

    def _settled_well(self, book: Book, order: Row) -> None:
        """An order with exactly one good capture is recorded exactly once, but for what excuses it."""
        mine = [row for row in book["attempts"] if row["order_id"] == order["id"]]
        charges = [self._bank.charges[row["track"]] for row in mine if row["track"] in self._bank.charges]
        if [charge.is_good for charge in charges if charge.taken] != [True]:
            return
        if order["status"] == "posted":
            if order["reason"]:  # what was refused went back
                return
            recorded = [self._registry.recorded[name] for name in _parts(book, order).values()]
            must({bank for _, bank, _ in recorded} == {order["bank"]}, "under the bank's reference", order)
            fils = sum(item.fils for _, _, items in recorded for item in items)
            must(fils == order["total_fils"], "recorded as it was paid", order)
            return
        reasons = {row["reason"] for row in mine if row["status"] in TAKEN}
        refused = self._registry.refused & set(_parts(book, order).values())
        excused = bool(refused) or any(charge.given for charge in charges)
        if "silent" in reasons or "refunded" in reasons or "suspect" in reasons:
            excused = True
        taken = {charge.track for charge in charges if charge.taken}
        if any(row["status"] == "REVIEW" for row in mine if row["track"] not in taken):
            excused = True  # another attempt of it waits for a person
        if "second" in reasons:
            excused |= _contended(book, order)
        excused |= any(charge.last is Word.ODD or charge.fickle for charge in charges)
        must(excused, "a good payment is recorded", order, mine, charges)


def _parts(book: Book, order: Row) -> dict[int, str]:
    """What the registry hears of the order's parts as."""
    parts = sorted({row["part"] for row in book["order_items"] if row["order_id"] == order["id"]})
    if len(parts) == 1:
        return {parts[0]: order["ref"]}
    return {part: f"{order['ref']}-{part + 1}" for part in parts}


def _agrees(row: Row, charge: Charge | None) -> None:
    assert charge is not None
    must(charge.is_good, "what is paid agrees with the bank", row, charge)
    must(charge.taken == row["fils"] == row["captured"], "in its amount", row, charge)
    must(row["bank"] == f"B{charge.track}", "in its numbers", row, charge)


def _duties(book: Book) -> None:
    """What is not finished is due: somebody will take it up."""
    for row in book["attempts"]:
        must(row["status"] not in OPEN or row["due"] is not None, "an open attempt is due", row)
    for row in book["orders"]:
        must(row["status"] != "paid" or row["post_due"] is not None, "what is not recorded is due", row)
    for row in book["notices"]:
        must(row["told_at"] or row["due"] is not None, "what is not told is due", row)
    for row in book["refunds"]:
        waits = row["status"] not in {"asked", "pending"} or row["due"] is not None
        must(waits, "an open refund is due", row)
        must(row["status"] in MOVING or row["due"] is None, "what is done is not due", row)
    for parent, words in (("attempts", OPEN), ("refunds", MOVING)):
        key = "order_id" if parent == "attempts" else "attempt_id"
        one = Counter(row[key] for row in book[parent] if row["status"] in words)
        must(all(number == 1 for number in one.values()), "one at a time", parent, one)


def _fines(book: Book, now: int) -> None:
    """One fine in one live order; what is open or paid holds its fines."""
    live = Counter(row["number"] for row in book["order_items"] if row["live"])
    must(all(number == 1 for number in live.values()), "a fine is in one live order", live)
    for order in book["orders"]:
        mine = [row for row in book["order_items"] if row["order_id"] == order["id"]]
        must(sum(row["fils"] for row in mine) == order["total_fils"], "lines make the total", order)
        holds = {bool(row["live"]) for row in mine}
        if order["status"] in {"open", "paid"} or (
            order["status"] == "posted" and not order["reason"] and now - order["paid_at"] <= DAY
        ):
            must(holds == {True}, "an order holds its fines", order)
        if order["status"] in {"cancelled", "refunded"}:
            must(holds == {False}, "a closed order lets its fines go", order)


def _told_of(row: Row, book: Book, told: Counter[str]) -> bool:
    """Silence is told once for all tries of an order, all else for each."""
    ref = next(order["ref"] for order in book["orders"] if order["id"] == row["order_id"])
    begins = f"order:{ref}:review:" + ("" if row["reason"] == "silent" else f"{row['id']}:")
    return any(name.startswith(begins) for name in told)


def _contended(book: Book, order: Row) -> bool:
    """Whether another order over one of its fines was live, or is."""
    fines = {row["number"] for row in book["order_items"] if row["order_id"] == order["id"]}
    return any(row["number"] in fines and row["order_id"] != order["id"] for row in book["order_items"])
