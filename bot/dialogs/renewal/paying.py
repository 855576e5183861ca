"""What the renewal dialog says from the names to be checked up to the payment and after it."""

from datetime import date
from typing import Final

from bot.dialogs.renewal.choices import bill, total
from bot.dialogs.renewal.file import Renewing, chosen
from bot.dialogs.renewal.texts import who, years_text
from bot.domain import Item, ItemKind
from bot.i18n.text import EMPTY, N_, NP_, Arg, Code, Day, Hour, Lines, Money, lines, say
from bot.residency.verdict import Candidate

LISTED: Final = 12
"""People whose part of the price is told one by one; more would not be read on a phone."""


def names_text(renewing: Renewing) -> Arg:
    """The Latin names, to be compared with the passports, as the ministry's page asks for."""
    parts: list[Arg] = [say(N_("Compare with the passport, letter by letter:"))]
    for one in chosen(renewing):
        parts += [EMPTY, who(renewing, one), Code(one.latin)]
    return Lines(tuple(parts))


def total_text(renewing: Renewing) -> Arg:
    """The total, and that it is another one than was shown."""
    if renewing.before:
        return say(
            N_("The price changed meanwhile: *{total}* instead of {before}."),
            total=Money(total(renewing)),
            before=Money(renewing.before),
        )
    return say(N_("In all *{total}*"), total=Money(total(renewing)))


def _renewal(name: Arg, item: Item) -> Arg:
    return say(
        N_("{who}: {years}, until {day}: {amount}"),
        who=name,
        years=years_text(item.years),
        day=Day(date.fromisoformat(item.until)),
        amount=Money(item.fils),
    )


def _part(renewing: Renewing, one: Candidate, items: tuple[Item, ...]) -> tuple[Arg, ...]:
    """One person: the renewal, then the fines that are paid with it."""
    name = who(renewing, one)
    fines = tuple(item for item in items if item.kind is not ItemKind.RENEWAL)
    parts = [_renewal(name, item) for item in items if item.kind is ItemKind.RENEWAL]
    if fines:
        parts.append(
            say(
                NP_("{who}, {n} fine: {amount}", "{who}, {n} fines: {amount}"),
                n=len(fines),
                who=name,
                amount=Money(sum(item.fils for item in fines)),
            )
        )
    return tuple(parts)


def summary_text(renewing: Renewing) -> Arg:
    """Who, until when, what each costs, in all, and how long the price holds."""
    people, items = chosen(renewing), bill(renewing).items
    parts: list[Arg] = [total_text(renewing), EMPTY]
    for number, one in enumerate(people[:LISTED]):
        parts += _part(renewing, one, tuple(item for item in items if item.part == number))
    if len(people) > LISTED:
        parts.append(say(NP_("and {n} more person", "and {n} more people"), n=len(people) - LISTED))
    parts += [
        EMPTY,
        say(N_("This price holds until {until}."), until=Hour(renewing.until)),
        say(N_("Each person is recorded apart, and I tell you of each.")),
    ]
    return Lines(tuple(parts))


def pay_label(renewing: Renewing) -> Arg:
    return say(N_("Pay {total}"), total=Money(total(renewing)))


def expired_text(renewing: Renewing) -> Arg:
    return lines(
        say(N_("The price held until {until}. Nothing was paid."), until=Hour(renewing.until)),
        say(N_("I can ask for it anew; your choices are kept.")),
    )
