"""Whose workers, which one of them, for how long: the answers, what holds of them, what changes them."""

from typing import Final

import msgspec

from bot.dialogs.company.effects import (
    Bodies,
    Due,
    FindWorker,
    Found,
    ListBodies,
    ListWorkers,
    QuoteWorkers,
    Workers,
)
from bot.dialogs.renewal import Quoted, Wish
from bot.dialogs.renewal.pages import Page, page_of
from bot.domain import Bill, Item, ItemKind
from bot.i18n.text import Local, masked
from bot.residency.facts import Body
from bot.residency.verdict import Candidate, Cap

SHOWN: Final = 30
"""Workers of the list: five pages; whoever has more sends a file."""
WHY: Final = "why"


class Office(msgspec.Struct, frozen=True):
    """What is done for whom.

    Attributes:
        bodies: those the resident may act for.
        body: place of the chosen one among them; empty for none.
        due: the list of those who are due; ``more``: it goes on.
        place: place of the one chosen from the list.
        number: civil ID that was typed; empty while the list is chosen from.
        worker: as the renewal stands.
        passport, work_permit: their last days, ISO 8601.
        plan: years chosen, or the question why not more.
        bill: what `checkout` is given.
        until: until when the price holds (epoch seconds).
        before: fils as they were shown, where the price is another one now.
        large: a fresh sign-in is asked for.
    """

    bodies: tuple[Body, ...] = ()
    body: str = ""
    due: tuple[Due, ...] = ()
    more: bool = False
    place: str = ""
    number: str = ""
    worker: Candidate | None = None
    passport: str = ""
    work_permit: str = ""
    plan: str = ""
    bill: Bill | None = None
    until: int = 0
    before: int = 0
    large: bool = False


class Job(msgspec.Struct, frozen=True):
    """What `batch` is given: for whom a list is sent."""

    body: str = ""
    name: Local = Local("", "")


# --- for whom ------------------------------------------------------------------------------------


def listing(_office: Office) -> ListBodies:
    return ListBodies()


def take_bodies(_office: Office, found: Bodies) -> Office:
    """Begin with the bodies; one alone is chosen."""
    only = "0" if len(found.bodies) == 1 else ""
    return Office(bodies=found.bodies, body=only)


def nobody(office: Office) -> bool:
    return not office.bodies


def chosen(office: Office) -> bool:
    return bool(office.body)


def several(office: Office) -> bool:
    return len(office.bodies) > 1


def body(office: Office) -> Body:
    """The chosen one."""
    place = int(office.body) if office.body else 0
    return office.bodies[place] if place < len(office.bodies) else Body("", Local("", ""))


def is_government(office: Office) -> bool:
    return body(office).government


def some_due(office: Office) -> bool:
    return body(office).due > 0


def job(office: Office) -> Job:
    """What `batch` is given."""
    return Job(body(office).number, body(office).name)


# --- which worker --------------------------------------------------------------------------------


def by_list(office: Office) -> Office:
    return msgspec.structs.replace(office, place="", number="", due=(), more=False)


def list_due(office: Office) -> ListWorkers:
    return ListWorkers(body(office).number, SHOWN)


def take_due(office: Office, found: Workers) -> Office:
    return msgspec.structs.replace(office, due=found.workers, more=found.more)


def none_due(office: Office) -> bool:
    return not office.due


def wanted(office: Office) -> str:
    """Civil ID of the worker asked about: the one typed, else the one chosen from the list."""
    place = int(office.place) if office.place else len(office.due)
    return office.due[place].civil_id if not office.number and place < len(office.due) else office.number


def finding(office: Office) -> FindWorker:
    return FindWorker(body(office).number, wanted(office))


def take_worker(office: Office, found: Found) -> Office:
    return msgspec.structs.replace(
        office,
        worker=found.worker,
        passport=found.passport,
        work_permit=found.work_permit,
        plan="",
        bill=None,
    )


# --- what stands in the way ----------------------------------------------------------------------


def is_ready(office: Office) -> bool:
    return office.worker is not None and office.worker.ready


def clearing(office: Office) -> frozenset[Page]:
    """Pages that clear a block of the worker's."""
    barriers = office.worker.barriers if office.worker is not None else ()
    return frozenset(page for barrier in barriers if (page := page_of(barrier)) is not None)


def has_fines(office: Office) -> bool:
    return office.worker is not None and bool(office.worker.fines)


def fines_of(office: Office) -> int:
    """Fils of fines that can be paid here."""
    return sum(fine.fils for fine in office.worker.fines) if office.worker is not None else 0


def fines_bill(office: Office) -> Bill:
    """What `checkout` is given for the fines alone: anybody may pay what anybody owes."""
    if office.worker is None:
        return Bill("")
    items = tuple(Item(fine.id, ItemKind(fine.kind), fine.title, fine.fils) for fine in office.worker.fines)
    return Bill(masked(office.worker.civil_id).text, items)


# --- for how long, and for how much --------------------------------------------------------------


def asks_why(office: Office) -> bool:
    return office.plan == WHY


def insurance_limits(office: Office) -> bool:
    return office.worker is not None and office.worker.cap is Cap.INSURANCE


def wish(office: Office) -> Wish:
    """What is asked for, with the total as it was shown."""
    years = int(office.plan) if office.plan.isdecimal() else 0
    offer = office.worker.offer(years) if office.worker is not None else None
    return Wish(wanted(office), years, offer.fils if offer is not None else 0)


def quoting(office: Office) -> QuoteWorkers:
    return QuoteWorkers(body(office).number, (wish(office),))


def take_quote(office: Office, quoted: Quoted) -> Office:
    return msgspec.structs.replace(
        office,
        worker=quoted.people[0] if quoted.people else office.worker,
        bill=quoted.bill,
        until=quoted.until,
        before=wish(office).fils if quoted.changed else 0,
        large=quoted.large,
    )


def price_ends(office: Office, _now: int) -> int:
    """When the price does not hold any more."""
    return office.until


def is_large(office: Office) -> bool:
    return office.large


def bill(office: Office) -> Bill:
    """What `checkout` is given."""
    return office.bill or Bill("")


def total(office: Office) -> int:
    """Fils of the quoted price."""
    return sum(item.fils for item in bill(office).items)
