"""What the file with verdicts says of each row, and what stands above the empty list."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from bot.dialogs.renewal.blocks import block_text
from bot.dialogs.renewal.pages import address, page_of
from bot.i18n.text import N_, NP_, Arg, Day, Lines, Ltr, say
from bot.residency.verdict import Candidate
from bot.services.batches.numbers import Row, number
from bot.services.batches.workbook import Cell, Fils, Table
from bot.spec import Invalid

Words = Callable[[Arg], str]

_WIDTHS: Final = (6, 18, 16, 26, 28, 20, 24, 60)
_YEAR_WIDTH: Final = 12
_HEADINGS: Final = (
    N_("Row"),
    N_("Number as written"),
    N_("Civil ID"),
    N_("Name"),
    N_("Latin name"),
    N_("Residency ends"),
    N_("Verdict"),
    N_("What it is and what to do"),
)


def empty_list(words: Words, *, rtl: bool) -> Table:
    """A list to fill in: the number, and whatever else helps whoever keeps it."""
    return Table([words(say(N_("Civil ID"))), words(say(N_("Name (optional)")))], (), (20, 40), rtl=rtl)


def heading(words: Words, years: Sequence[int]) -> tuple[list[str], list[int]]:
    """The headings and the widths of the columns; a column for each duration offered to anybody."""
    durations = [words(say(NP_("{n} year, KWD", "{n} years, KWD"), n=each)) for each in years]
    names = [*(words(say(name)) for name in _HEADINGS), *durations]
    return names, [*_WIDTHS, *(_YEAR_WIDTH for _ in years)]


def line(
    row: Row, candidate: Candidate | None, years: Sequence[int], day: date, words: Words
) -> Sequence[Cell]:
    """One row's verdict as it was on ``day``."""
    verdict, why = _verdict(row, candidate, day)
    known: list[Cell] = ["", "", ""]
    if candidate is not None:
        ends = words(Day(date.fromisoformat(candidate.expires)))
        known = [words(candidate.name), candidate.latin, ends]
    offers = {} if candidate is None else {offer.years: Fils(offer.fils) for offer in candidate.offers}
    return [
        row.line,
        row.written,
        row.civil_id,
        *known,
        words(verdict),
        words(why),
        *(offers.get(each) for each in years),
    ]


def _verdict(row: Row, candidate: Candidate | None, day: date) -> tuple[Arg, Arg]:
    if row.repeats:
        return say(N_("Repeated")), say(
            N_("The same number as in row {row}; it counts once."), row=row.repeats
        )
    if not row.civil_id:
        fault = number(row.written, day)
        return say(N_("No civil ID")), fault.text if isinstance(fault, Invalid) else ""
    if candidate is None:
        return (
            say(N_("Not found")),
            say(
                N_("No worker of this body has this number. Check the number, and for whom the person works.")
            ),
        )
    if candidate.ready:
        return say(N_("Can be renewed now")), _fines(candidate)
    return say(N_("Blocked")), _blocks(candidate)


def _fines(candidate: Candidate) -> Arg:
    if not candidate.fines:
        return ""
    count = len(candidate.fines)
    return say(NP_("The amounts include {n} fine.", "The amounts include {n} fines."), n=count)


def _blocks(candidate: Candidate) -> Arg:
    """Every block: what it is, how it is cleared, whom to ask, and where."""
    parts: list[Arg] = []
    for at, barrier in enumerate(candidate.barriers, 1):
        parts.append(block_text(at, barrier))
        if (page := page_of(barrier)) is not None:
            parts.append(Ltr(address(page)))
    return Lines(tuple(parts))
