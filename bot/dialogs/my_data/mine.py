"""What is kept of this chat: shown, remembered or not, handed out. Forgetting it all is `forget`."""

from enum import StrEnum
from typing import Any

import msgspec

from bot.clock import local
from bot.dialogs.my_data.consent import CURRENT
from bot.dialogs.my_data.effects import (
    Export,
    ExportData,
    Kept,
    ListKept,
    Remember,
    Remembered,
    RememberRefused,
    Unremember,
)
from bot.i18n.text import N_, NP_, Arg, Code, Day, Hour, lines, say
from bot.parse import civil_id
from bot.spec import Ask, Choose, Decide, Dialog, Do, End, Go, Link


class S(StrEnum):
    """States."""

    LOOKING = "looking"
    SHOWN = "shown"
    CONSENT = "consent"
    AGREED = "agreed"
    NUMBER = "number"
    SAVING = "saving"
    SAVED = "saved"
    DROPPING = "dropping"
    DROPPED = "dropped"
    EXPORTING = "exporting"
    EXPORT = "export"
    DOWN = "down"
    FORGET = "forget"
    LEFT = "left"


class Mine(msgspec.Struct, frozen=True):
    """What is kept, as far as it is shown; ``number`` holds a civil ID only until it is remembered."""

    kept: Kept = Kept()
    number: str = ""
    export: Export = Export("", 0)


def looking(_mine: Mine) -> ListKept:
    return ListKept()


def take(_mine: Mine, kept: Kept) -> Mine:
    return Mine(kept)


def remember(mine: Mine) -> Remember:
    """The number just typed, or the one that is remembered already."""
    return Remember(mine.number, CURRENT.version)


def remembered(mine: Mine, found: Remembered) -> Mine:
    kept = msgspec.structs.replace(mine.kept, number=found.number, until=found.until, renew=False)
    return Mine(kept)


def without_number(mine: Mine) -> Mine:
    return msgspec.structs.replace(mine, number="")


def dropping(_mine: Mine) -> Unremember:
    return Unremember()


def exporting(_mine: Mine) -> ExportData:
    return ExportData()


def exported(mine: Mine, export: Export) -> Mine:
    return msgspec.structs.replace(mine, export=export)


def has_number(mine: Mine) -> bool:
    return bool(mine.kept.number)


def has_none(mine: Mine) -> bool:
    return not mine.kept.number


def outdated(mine: Mine) -> bool:
    return mine.kept.renew


def file(mine: Mine) -> str:
    return mine.export.url


def yes(_mine: Mine) -> bool:
    return True


def number_line(kept: Kept) -> Arg:
    """Which number is remembered, if any."""
    if not kept.number:
        return say(N_("No number is remembered."))
    told = say(
        N_("Number remembered: {number}, until {day}."),
        number=Code(kept.number),
        day=Day(local(kept.until).date()),
    )
    if not kept.renew:
        return told
    return lines(told, say(N_("The terms of this have changed. It is not used until you agree to them.")))


def orders_line(kept: Kept) -> Arg:
    """How many orders there are."""
    if not kept.orders:
        return say(N_("No order was made from this chat."))
    return say(
        NP_(
            "{n} order was made from this chat, paid: {paid}.",
            "{n} orders were made from this chat, paid: {paid}.",
        ),
        n=kept.orders,
        paid=kept.paid,
    )


def reminders_line(kept: Kept) -> Arg:
    """How many dates are reminded of."""
    return say(
        NP_(
            "{n} reminder is kept, until 30 days after its date.",
            "{n} reminders are kept, until 30 days after their dates.",
        ),
        n=kept.reminders,
    )


def as_before(answers: dict[str, Any]) -> dict[str, Any]:
    """Version 2 only adds a count that has a default."""
    return answers


def shown(mine: Mine) -> Arg:
    """All of it in short; the file has the rest."""
    return lines(
        say(N_("What is kept of this chat, encrypted:")),
        say(N_("This conversation, for 24 hours after your last message.")),
        number_line(mine.kept),
        orders_line(mine.kept),
        *((reminders_line(mine.kept),) if mine.kept.reminders else ()),
    )


def terms(_mine: Mine) -> Arg:
    """The text agreed to, as the data file has it."""
    return CURRENT.text


def saved(mine: Mine) -> Arg:
    return say(
        N_("From now on I remember {number}, until {day}. “My data” takes it back."),
        number=Code(mine.kept.number),
        day=Day(local(mine.kept.until).date()),
    )


def export_text(mine: Mine) -> Arg:
    return say(
        N_(
            "Here is everything that is kept of this chat, with reasons and times. The link works until {until}. "
            "The file shows your numbers in full: pass it on to nobody."
        ),
        until=Hour(mine.export.until),
    )


_AGAIN = Go[Mine](N_("My data"), S.LOOKING)

DIALOG = Dialog[Mine](
    id="mydata",
    version=2,
    migrations={1: as_before},
    title=N_("My data"),
    answers=Mine,
    start=S.LOOKING,
    cancel=S.LEFT,
    help=N_(
        "Here you see what is kept of this chat, have one number remembered or forgotten, get a copy, or delete it all."
    ),
    states={
        S.LOOKING: Do(ListKept, looking, then=S.SHOWN, otherwise=S.DOWN, keep=take),
        S.SHOWN: Choose(
            shown,
            (
                Go(N_("Remember a number"), S.CONSENT, when=has_none),
                Go(N_("Agree again"), S.CONSENT, when=outdated, id="renew"),
                Go(N_("Forget the number"), S.DROPPING, when=has_number),
                Go(N_("A copy of my data"), S.EXPORTING),
                Go(N_("Delete it all"), S.FORGET),
            ),
            noun=N_("My data"),
            rest=True,
            entry=False,
        ),
        S.CONSENT: Choose(
            terms,
            (Go(N_("I agree"), S.AGREED), Go(N_("No, thank you"), S.SHOWN)),
            noun=N_("Remember a number"),
            back=S.SHOWN,
        ),
        S.AGREED: Decide(((has_number, S.SAVING),), otherwise=S.NUMBER),
        S.NUMBER: Ask(
            N_("Enter the 12-digit civil ID to remember. I delete your message where the app lets me."),
            parse=civil_id,
            into="number",
            then=S.SAVING,
            hint=N_(
                "The civil ID is printed on the front of the civil ID card and shown in the Kuwait Mobile ID app."
            ),
            secret=True,
        ),
        S.SAVING: Do(
            Remember,
            remember,
            then=S.SAVED,
            otherwise=S.DOWN,
            keep=remembered,
            refused=RememberRefused,
            failed={RememberRefused.OUTDATED: S.CONSENT, RememberRefused.NOTHING: S.LOOKING},
            missed=without_number,
        ),
        S.SAVED: Choose(saved, (_AGAIN,), rest=True, entry=False),
        S.DROPPING: Do(Unremember, dropping, then=S.DROPPED, otherwise=S.DOWN, keep=take),
        S.DROPPED: Choose(
            N_("The number is deleted and your consent is withdrawn."), (_AGAIN,), rest=True, entry=False
        ),
        S.EXPORTING: Do(ExportData, exporting, then=S.EXPORT, otherwise=S.DOWN, keep=exported),
        S.EXPORT: Choose(
            export_text,
            (Link(N_("🔗 Open the file"), file), Go(N_("New link"), S.EXPORTING), _AGAIN),
            rest=True,
            entry=False,
        ),
        S.DOWN: Choose(
            N_("Your data cannot be reached now. Nothing was changed."),
            (Go(N_("Try again"), S.LOOKING),),
            entry=False,
        ),
        S.FORGET: End(value=yes),
        S.LEFT: End(),
    },
)
