"""The file and what was chosen of it: the answers, what holds of them, what changes them.

A person is known by their place in the list (``"0"``…): buttons carry it, and a civil ID belongs in none.
"""

from enum import StrEnum
from typing import Final

import msgspec

from bot.dialogs.renewal.effects import File, ListFile, QuoteRefused
from bot.dialogs.renewal.pages import Page, page_of
from bot.domain import Bill, Item, ItemKind
from bot.i18n.text import masked
from bot.residency.verdict import Block, Candidate

SHOWN: Final = 6
"""People told of in one message; more would not be read on a phone."""
RETRY_EVERY: Final = 60
"""Seconds between tries while the registry is down."""
RETRIES: Final = 10
LINKS: Final = 4
"""Pages offered for one person at once: with what else there is to press, ten rows, WhatsApp's most."""

PERSON: Final = "person"
DURATION: Final = "duration"
"""Places that a fresh look at the file comes back to."""
GONE: Final = "gone"
"""News beside those of `QuoteRefused`: somebody is not on the file any more."""


class Renewing(msgspec.Struct, frozen=True):
    """Who is on the file, whom the resident renews and for how long.

    Attributes:
        people: the file as last told.
        person: place of the one looked at.
        chosen: places of those to be renewed.
        plan: ``a2``: two years for all; ``e12``: one year for the first chosen, two for the second (base 36);
            ``w``: why no longer.
        at: where a fresh look at the file leads; empty for the list.
        news: why the file is told again: a `QuoteRefused` value or `GONE`.
        tries: failed look-ups in a row.
        bill: what is paid, once a price is quoted.
        until: until when that price holds (epoch seconds).
        before: the total that was shown before, where it differs; else 0.
        large: whether a fresh sign-in is needed for it.
    """

    people: tuple[Candidate, ...] = ()
    person: str = ""
    chosen: tuple[str, ...] = ()
    plan: str = ""
    at: str = ""
    news: str = ""
    tries: int = 0
    bill: Bill | None = None
    until: int = 0
    before: int = 0
    large: bool = False


class Standing(StrEnum):
    """How a person's renewal stands, in one word."""

    READY = "ready"
    BLOCKED = "blocked"
    LATER = "later"
    EMPLOYER = "employer"
    UNDERWAY = "underway"


def standing(candidate: Candidate) -> Standing:
    """What waits by itself is no block to be cleared: a date, the employer, a renewal that is being recorded."""
    blocks = {barrier.block for barrier in candidate.barriers}
    if not blocks:
        return Standing.READY
    for block, how in (
        (Block.UNDERWAY, Standing.UNDERWAY),
        (Block.EMPLOYER, Standing.EMPLOYER),
        (Block.WINDOW, Standing.LATER),
    ):
        if block in blocks:
            return how
    return Standing.BLOCKED


def at_place(renewing: Renewing, place: str) -> Candidate | None:
    """The person at ``place``; None once the list is shorter."""
    index = int(place) if place.isdecimal() else len(renewing.people)
    return renewing.people[index] if index < len(renewing.people) else None


def places(renewing: Renewing, *how: Standing) -> tuple[str, ...]:
    """Places of those whose renewal stands so."""
    return tuple(str(place) for place, one in enumerate(renewing.people) if standing(one) in how)


def person(renewing: Renewing) -> Candidate | None:
    """The one looked at."""
    return at_place(renewing, renewing.person)


def chosen(renewing: Renewing) -> tuple[Candidate, ...]:
    """Those to be renewed."""
    return tuple(one for place in renewing.chosen if (one := at_place(renewing, place)) is not None)


def ready(renewing: Renewing) -> tuple[str, ...]:
    """Places of those who can be renewed now."""
    return places(renewing, Standing.READY)


def blocked(renewing: Renewing) -> tuple[str, ...]:
    """Places of those with something to clear."""
    return places(renewing, Standing.BLOCKED)


# --- asking the registry -------------------------------------------------------------------------


def listing(_renewing: Renewing) -> ListFile:
    return ListFile()


def take_file(renewing: Renewing, file: File) -> Renewing:
    """Keep the file; whoever was chosen is found again, wherever they stand in it now."""
    moved = {one.permit: str(place) for place, one in enumerate(file.people)}
    looked_at = person(renewing)
    return msgspec.structs.replace(
        renewing,
        people=file.people,
        person=moved.get(looked_at.permit, "") if looked_at is not None else "",
        chosen=tuple(moved[one.permit] for one in chosen(renewing) if one.permit in moved),
        news="",
        tries=0,
        bill=None,
    )


def _anew(renewing: Renewing, file: File, news: str) -> Renewing:
    return msgspec.structs.replace(take_file(renewing, file), news=news)


def take_blocked(renewing: Renewing, file: File) -> Renewing:
    return _anew(renewing, file, QuoteRefused.BLOCKED)


def take_not_offered(renewing: Renewing, file: File) -> Renewing:
    return _anew(renewing, file, QuoteRefused.NOT_OFFERED)


def take_gone(renewing: Renewing, file: File) -> Renewing:
    return _anew(renewing, file, GONE)


def count_try(renewing: Renewing) -> Renewing:
    return msgspec.structs.replace(renewing, tries=renewing.tries + 1)


def from_zero(renewing: Renewing) -> Renewing:
    return msgspec.structs.replace(renewing, tries=0)


def may_retry(renewing: Renewing) -> bool:
    """Not yet tried long enough."""
    return renewing.tries <= RETRIES


def in_a_minute(_renewing: Renewing, now: int) -> int:
    """When to try again."""
    return now + RETRY_EVERY


# --- where a fresh look leads --------------------------------------------------------------------


def to_list(renewing: Renewing) -> Renewing:
    return msgspec.structs.replace(renewing, at="")


def to_person(renewing: Renewing) -> Renewing:
    return msgspec.structs.replace(renewing, at=PERSON)


def to_duration(renewing: Renewing) -> Renewing:
    return msgspec.structs.replace(renewing, at=DURATION)


def nobody(renewing: Renewing) -> bool:
    return not renewing.people


def at_person(renewing: Renewing) -> bool:
    return renewing.at == PERSON and person(renewing) is not None


def at_duration(renewing: Renewing) -> bool:
    """Everyone chosen can still be renewed."""
    return renewing.at == DURATION and bool(chosen(renewing)) and all(one.ready for one in chosen(renewing))


# --- choosing whom -------------------------------------------------------------------------------


def any_ready(renewing: Renewing) -> bool:
    return bool(ready(renewing))


def several_ready(renewing: Renewing) -> bool:
    return len(ready(renewing)) > 1


def one_blocked(renewing: Renewing) -> bool:
    return len(blocked(renewing)) == 1


def several_blocked(renewing: Renewing) -> bool:
    return len(blocked(renewing)) > 1


def more_to_tell(renewing: Renewing) -> bool:
    """Somebody of whom the list and its buttons do not say all."""
    return len(renewing.people) > SHOWN or bool(
        places(renewing, Standing.LATER, Standing.EMPLOYER, Standing.UNDERWAY)
    )


def choose_ready(renewing: Renewing) -> Renewing:
    return msgspec.structs.replace(renewing, chosen=ready(renewing), at="")


def look_at_blocked(renewing: Renewing) -> Renewing:
    """The only one whom something blocks."""
    return msgspec.structs.replace(renewing, person=blocked(renewing)[0], at="")


def choose_person(renewing: Renewing) -> Renewing:
    return msgspec.structs.replace(renewing, chosen=(renewing.person,), at="")


def person_ready(renewing: Renewing) -> bool:
    one = person(renewing)
    return one is not None and one.ready


def person_blocked(renewing: Renewing) -> bool:
    return not person_ready(renewing)


# --- clearing what blocks ------------------------------------------------------------------------


def pages(renewing: Renewing) -> tuple[Page, ...]:
    """Pages that clear something for the one looked at, in the order of their blocks."""
    one = person(renewing)
    found = [page for barrier in one.barriers if (page := page_of(barrier)) is not None] if one else []
    return tuple(dict.fromkeys(found))[:LINKS]


def has_fines(renewing: Renewing) -> bool:
    """Fines of somebody blocked can be paid at once; of somebody ready they are paid with the renewal."""
    one = person(renewing)
    return one is not None and not one.ready and bool(one.fines)


def fines_of(candidate: Candidate) -> int:
    """Fils of payable fines."""
    return sum(fine.fils for fine in candidate.fines)


def fines_bill(renewing: Renewing) -> Bill:
    """What `checkout` is given for the fines alone: anybody may pay what anybody owes."""
    one = person(renewing)
    if one is None:
        return Bill("")
    items = tuple(Item(fine.id, ItemKind(fine.kind), fine.title, fine.fils) for fine in one.fines)
    return Bill(masked(one.civil_id).text, items)
