"""What was asked and what was found: the answers, what holds of them, what changes them.

Also the whole requests: messages that say enough by themselves.
"""

import re
from datetime import date
from typing import Final

import msgspec

from bot.dialogs.my_data import Recall, Recalled
from bot.dialogs.verify import Held
from bot.dialogs.violations.effects import FindFines, Owed
from bot.domain import Bill, Fine, FineKind, Item, ItemKind, Subject, Unpayable
from bot.i18n.text import masked
from bot.parse import civil_id, digits, is_civil_id, reference
from bot.spelling import clean

RETRY_EVERY: Final = 60
"""Seconds between tries while the registry is down."""
RETRIES: Final = 10


_RUNS: Final = re.compile(r"\d[\d\s.\-_/]*\d")
"""Digits in groups, as on the card: ``2850 1150 0029``."""


class Search(msgspec.Struct, frozen=True):
    """What the resident asked and what was found.

    Attributes:
        scope: a `FineKind` value, or empty for every kind.
        number: what is looked up; empty for whoever is signed in.
        on: the day of the question, ISO 8601, for a number that was sent without being asked for.
        tries: failed look-ups in a row.
        own: the masked civil ID of whoever is signed in, once their own fines were found.
        held: why the look-up did not take place.
    """

    scope: str = ""
    by: Subject = Subject.CIVIL_ID
    number: str = ""
    on: str = ""
    fines: tuple[Fine, ...] = ()
    chosen: tuple[str, ...] = ()
    tries: int = 0
    own: str = ""
    held: Held | None = None


def shown(search: Search) -> tuple[Fine, ...]:
    """The fines of the kind asked for."""
    return tuple(fine for fine in search.fines if search.scope in ("", fine.kind))


def payable(search: Search) -> tuple[Fine, ...]:
    """Those the registry lets be paid online."""
    return tuple(fine for fine in shown(search) if fine.payable)


def unpayable(search: Search) -> tuple[Fine, ...]:
    """Those it does not, but for those just paid."""
    return tuple(fine for fine in shown(search) if not fine.payable and fine.barrier != Unpayable.SETTLING)


def settling(search: Search) -> tuple[Fine, ...]:
    """Those paid a moment ago, which the records still show."""
    return tuple(fine for fine in shown(search) if fine.barrier == Unpayable.SETTLING)


def none_owed(search: Search) -> bool:
    """Nothing of the kind asked for, but perhaps what was just paid."""
    return not payable(search) and not unpayable(search)


def none_payable(search: Search) -> bool:
    """Something is owed, and none of it can be paid here."""
    return not payable(search)


def several(search: Search) -> bool:
    """There is something to choose among."""
    return len(payable(search)) > 1


def total(fines: tuple[Fine, ...]) -> int:
    """Their sum in fils."""
    return sum(fine.fils for fine in fines)


def only_residency(search: Search) -> Search:
    return msgspec.structs.replace(search, scope=FineKind.RESIDENCY)


def only_traffic(search: Search) -> Search:
    return msgspec.structs.replace(search, scope=FineKind.TRAFFIC)


def every_kind(search: Search) -> Search:
    return msgspec.structs.replace(search, scope="")


def by_civil_id(search: Search) -> Search:
    return msgspec.structs.replace(search, by=Subject.CIVIL_ID)


def by_reference(search: Search) -> Search:
    return msgspec.structs.replace(search, by=Subject.REFERENCE)


def recalling(_search: Search) -> Recall:
    return Recall()


def recalled(search: Search, answer: Recalled) -> Search:
    return msgspec.structs.replace(search, number=answer.number)


def has_number(search: Search) -> bool:
    return bool(search.number)


def by_sign_in(search: Search) -> Search:
    """One's own fines: the civil ID is not the dialog's to know."""
    return msgspec.structs.replace(search, by=Subject.CIVIL_ID, number="", own="")


def everything(search: Search) -> Search:
    return msgspec.structs.replace(search, chosen=tuple(fine.id for fine in payable(search)))


def reference_found(search: Search, number: str) -> Search:
    return msgspec.structs.replace(search, by=Subject.REFERENCE, number=number)


def take_fines(search: Search, found: Owed | Held) -> Search:
    """Keep what was found, or why nothing was looked up."""
    if isinstance(found, Held):
        return msgspec.structs.replace(search, held=found)
    return msgspec.structs.replace(
        search, fines=found.fines, chosen=(), tries=0, own=found.subject, held=None
    )


def is_held(search: Search) -> bool:
    """Open look-ups are used up for now."""
    return search.held is not None


def hold(search: Search) -> Held:
    """What `verify` is given."""
    return search.held or Held()


def count_try(search: Search) -> Search:
    return msgspec.structs.replace(search, tries=search.tries + 1)


def from_zero(search: Search) -> Search:
    return msgspec.structs.replace(search, tries=0)


def has_unpayable(search: Search) -> bool:
    """Something cannot be paid online."""
    return bool(unpayable(search))


def bill(search: Search) -> Bill:
    """What `checkout` is given."""
    items = tuple(
        Item(fine.id, ItemKind(fine.kind), fine.title, fine.fils)
        for fine in payable(search)
        if fine.id in search.chosen
    )
    return Bill(search.own or masked(search.number).text, items)


def may_be_civil_id(search: Search) -> bool:
    """Twelve digits given as a reference number that pass every check of a civil ID."""
    return is_civil_id(search.number, date.max)


def number_in(text: str, today: date) -> Search | None:
    """A valid civil ID, alone or among words ("do I have fines 2850…")."""
    written = (text, *text.split(), *_RUNS.findall(clean(text)))
    found = {number for number in (civil_id(run, today) for run in written) if isinstance(number, str)}
    return Search(number=found.pop()) if len(found) == 1 else None


def doubtful_number(text: str, today: date) -> Search | None:
    """A message of digits only that is no valid civil ID, but about as long."""
    number = digits(text)
    plausible = 6 <= len(number) <= 14 and number.isascii() and number.isdigit()  # noqa: PLR2004
    return Search(number=number, on=today.isoformat()) if plausible else None


def deep_link(argument: str, today: date) -> Search | None:
    """``/start pay-<reference>``: an operator's link to the list of one MOI reference number."""
    prefix, _, number = argument.partition("-")
    found = reference(number, today) if prefix == "pay" else None
    return Search(by=Subject.REFERENCE, number=found) if isinstance(found, str) else None


def find(search: Search) -> FindFines:
    """The look-up."""
    return FindFines(search.by, search.number)


def in_a_minute(_search: Search, now: int) -> int:
    """When to try again."""
    return now + RETRY_EVERY


def may_retry(search: Search) -> bool:
    """Not yet tried long enough."""
    return search.tries <= RETRIES
