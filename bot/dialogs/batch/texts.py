"""What is said of a list of workers."""

from collections.abc import Mapping
from typing import Any

from bot.dialogs.batch.work import Sheet, news
from bot.dialogs.company.effects import Batch, YearOffer
from bot.i18n.text import EMPTY, N_, NP_, Arg, Code, Hour, Lines, Money, lines, say
from bot.spec import Option


def upload_text(sheet: Sheet) -> Arg:
    """What to send, how large it may be, where an empty one is, that every row is answered."""
    parts: list[Arg] = [
        say(N_("Send the list of {name} as a file: Excel or CSV, one civil ID a row."), name=sheet.name),
    ]
    if sheet.template.rows:
        parts.append(
            say(
                NP_(
                    "At most {n} row. Other columns do no harm.",
                    "At most {n} rows. Other columns do no harm.",
                ),
                n=sheet.template.rows,
            )
        )
    return Lines((*parts, EMPTY, say(N_("Every row is checked and gets a verdict; nothing is paid by it."))))


def too_long_text(sheet: Sheet) -> Arg:
    if not sheet.template.rows:
        return say(N_("The file is too large. Send it in several parts; the same one twice is checked once."))
    return say(
        NP_(
            "The file is too large: at most {n} row is taken. Send it in parts; a part sent twice is checked once.",
            "The file is too large: at most {n} rows are taken. Send it in parts; a part sent twice is checked once.",
        ),
        n=sheet.template.rows,
    )


def _progress(batch: Batch) -> Arg:
    return say(
        NP_("Checked: {done} of {n} row.", "Checked: {done} of {n} rows."), n=batch.total, done=batch.done
    )


def running_text(sheet: Sheet) -> Arg:
    """How far it is, and that the resident need not wait."""
    batch = sheet.batch
    parts: list[Arg] = [say(N_("List {ref}"), ref=Code(batch.ref)), _progress(batch)]
    if batch.waiting:
        parts.append(
            say(N_("The ministry's records do not answer just now. I keep asking and lose nothing of it."))
        )
    return Lines(
        (*parts, say(N_("I will write to you when it is done; you can do something else meanwhile.")))
    )


def _counts(batch: Batch) -> tuple[Arg, ...]:
    """What became of the rows, line by line; nothing of what there is none of."""
    parts: list[Arg] = [
        say(NP_("✓ {n} can be renewed now", "✓ {n} can be renewed now"), n=batch.ready),
    ]
    if batch.blocked:
        parts.append(say(NP_("✕ {n} blocked", "✕ {n} blocked"), n=batch.blocked))
    if batch.unknown:
        parts.append(
            say(
                NP_("· {n} number not found or not right", "· {n} numbers not found or not right"),
                n=batch.unknown,
            )
        )
    if batch.repeated:
        parts.append(say(NP_("· {n} row repeats another", "· {n} rows repeat others"), n=batch.repeated))
    return tuple(parts)


def summary_text(sheet: Sheet) -> Arg:
    """The list's verdicts in short, and where the whole is."""
    batch = sheet.batch
    parts: list[Arg] = [
        say(
            NP_("{n} row of {name} is checked:", "{n} rows of {name} are checked:"),
            n=batch.total,
            name=sheet.name,
        ),
        *_counts(batch),
    ]
    if batch.url:
        parts += [
            EMPTY,
            say(
                N_(
                    "The file has a verdict for each row, with every block and how to clear it. It shows numbers in full; "
                    "the link works until {until}."
                ),
                until=Hour(batch.until),
            ),
        ]
    return Lines(tuple(parts))


def fines_text(sheet: Sheet) -> Arg:
    """Who has fines, what they come to, and that nobody has to pay another's."""
    first = sheet.batch.offers[0]
    return lines(
        say(
            NP_(
                "{n} worker who can be renewed has fines of their own.",
                "{n} workers who can be renewed have fines of their own.",
            ),
            n=first.fined,
        ),
        say(
            N_("Fees and fines of these alone, for the shortest duration: {amount}"),
            amount=Money(first.fils - first.clean_fils),
        ),
        EMPTY,
        say(
            N_(
                "They can pay their fines here themselves, by civil ID, and be renewed afterwards. Or you pay them along now."
            )
        ),
    )


def duration_text(sheet: Sheet) -> Arg:
    """That each duration is for those who may have it."""
    included = (
        N_(
            "Each amount is for those who may have that duration, with their own fines. The others stay in the list for another one."
        )
        if sheet.fines
        else N_(
            "Each amount is for those who may have that duration. The others stay in the list for another one."
        )
    )
    return lines(say(N_("For how long?")), say(included))


def _duration(offer: YearOffer, *, fines: bool) -> Arg:
    return say(
        N_("{years}, {count}: {amount}"),
        years=say(NP_("{n} year", "{n} years"), n=offer.years),
        count=offer.count if fines else offer.clean,
        amount=Money(offer.fils if fines else offer.clean_fils),
    )


def durations(sheet: Sheet) -> tuple[Option, ...]:
    """Each duration with how many may have it and what that costs."""
    return tuple(
        Option(str(offer.years), _duration(offer, fines=sheet.fines))
        for offer in sheet.batch.offers
        if sheet.fines or offer.clean
    )


def price_text(sheet: Sheet) -> Arg:
    """How many, for how long, what it costs, and until when."""
    quote = sheet.quote
    years = int(sheet.plan) if sheet.plan.isdecimal() else 0
    return lines(
        say(N_("In all *{total}*"), total=Money(quote.fils)),
        say(NP_("{n} worker of {name}", "{n} workers of {name}"), n=quote.count, name=sheet.name),
        say(N_("Each for {years}"), years=say(NP_("{n} year", "{n} years"), n=years)),
        EMPTY,
        say(N_("This price holds until {until}."), until=Hour(quote.until)),
        say(N_("Each worker is recorded apart; should one not be taken, I tell you which.")),
    )


def pay_label(sheet: Sheet) -> Arg:
    return say(N_("Pay {total}"), total=Money(sheet.quote.fils))


def expired_text(sheet: Sheet) -> Arg:
    return lines(
        say(N_("The price held until {until}. Nothing was paid."), until=Hour(sheet.quote.until)),
        say(N_("I can ask for it anew; your choices are kept.")),
    )


def left_text(sheet: Sheet) -> Arg:
    """What leaving means for a list that is being checked."""
    if sheet.batch.ref and not sheet.batch.finished:
        return say(N_("The list goes on being checked, and I will write to you. Nothing was paid."))
    return say(N_("Stopped. Nothing was paid."))


# --- told elsewhere ------------------------------------------------------------------------------


def done_notice(data: Mapping[str, Any]) -> Arg:
    """The list is checked, and how to go on."""
    batch = news(data)
    return lines(
        say(N_("✓ Your list {ref} is checked:"), ref=Code(batch.ref)),
        *_counts(batch),
        EMPTY,
        say(N_("To pay, send the same file again: it is not checked twice.")),
    )


def verdicts_of(data: Mapping[str, Any]) -> str:
    return str(data.get("url", ""))


def stopped_notice(data: Mapping[str, Any]) -> Arg:
    return say(
        N_(
            "Checking your list {ref} has stopped: the ministry's records did not answer for hours, or you may not act for that body any more. Nothing was paid."
        ),
        ref=Code(str(data.get("ref", ""))),
    )
