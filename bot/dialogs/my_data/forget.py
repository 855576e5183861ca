"""Forget: everything of this chat is deleted but what the books must keep; asked once."""

from enum import StrEnum

import msgspec

from bot.clock import local
from bot.dialogs.my_data.effects import ForgetAll, Forgotten
from bot.i18n.text import N_, NP_, Arg, Code, Day, lines, say
from bot.spec import Choose, Decide, Dialog, Do, End, Go


class S(StrEnum):
    """States."""

    ASKING = "asking"
    DELETING = "deleting"
    DELETED = "deleted"
    PAYING = "paying"
    DONE = "done"
    DOWN = "down"
    LEFT = "left"


class Deletion(msgspec.Struct, frozen=True):
    """What came of it."""

    forgotten: Forgotten = Forgotten()


def deleting(_deletion: Deletion) -> ForgetAll:
    return ForgetAll()


def take(_deletion: Deletion, forgotten: Forgotten) -> Deletion:
    return Deletion(forgotten)


def is_paying(deletion: Deletion) -> bool:
    return bool(deletion.forgotten.paying)


def asking(_deletion: Deletion) -> Arg:
    """What goes and what stays, before it is too late."""
    return lines(
        say(
            N_(
                "*Delete everything of this chat?* Conversation, language, sign-in, the number remembered, reminders and unpaid orders go at once, for good."
            )
        ),
        say(
            N_(
                "Paid orders stay in the books, with amounts and bank references. They lead to this chat for 180 days after the payment, so that a refund can be told, and then no more."
            )
        ),
    )


def paying(deletion: Deletion) -> Arg:
    return say(
        N_(
            "Order {order} may be paid at this moment, so nothing was deleted. Pay or cancel it, or come back when its link has expired."
        ),
        order=Code(deletion.forgotten.paying),
    )


def done(deletion: Deletion) -> Arg:
    """What went, what stays and why."""
    gone = say(N_("Deleted. The messages on your own screen are yours to delete."))
    forgotten = deletion.forgotten
    if not forgotten.stays:
        return lines(gone, say(N_("Nothing leads from our books to this chat.")))
    return lines(
        gone,
        say(
            NP_(
                "{n} order stays in the books and leads to this chat until {day}, for a refund or a complaint.",
                "{n} orders stay in the books and lead to this chat until {day}, for a refund or a complaint.",
            ),
            n=forgotten.stays,
            day=Day(local(forgotten.until).date()),
        ),
    )


DIALOG = Dialog[Deletion](
    id="forget",
    version=1,
    title=N_("Delete my data"),
    answers=Deletion,
    start=S.ASKING,
    cancel=S.LEFT,
    help=N_("This deletes what is kept of this chat, and tells what has to stay and why."),
    states={
        S.ASKING: Choose(
            asking,
            (Go(N_("Delete it all"), S.DELETING), Go(N_("Keep it"), S.LEFT)),
            noun=N_("Delete my data"),
            entry=False,
        ),
        S.DELETING: Do(ForgetAll, deleting, then=S.DELETED, otherwise=S.DOWN, keep=take),
        S.DELETED: Decide(((is_paying, S.PAYING),), otherwise=S.DONE),
        S.PAYING: Choose(paying, (Go(N_("Try again"), S.DELETING),), rest=True, entry=False),
        S.DONE: Choose(done, rest=True, entry=False),
        S.DOWN: Choose(
            N_("Not everything could be reached just now. Try again: what is deleted stays deleted."),
            (Go(N_("Try again"), S.DELETING),),
            entry=False,
        ),
        S.LEFT: End(N_("Nothing was deleted.")),
    },
)
