"""A list of workers as a file: a verdict for each, and one payment for those who can be renewed.

Called by `bot.dialogs.company`, whose effects it shares. Sources: docs/services/companies.md.
"""

from enum import StrEnum
from typing import Final

from bot.dialogs.batch.texts import (
    done_notice,
    duration_text,
    durations,
    expired_text,
    fines_text,
    left_text,
    pay_label,
    price_text,
    running_text,
    stopped_notice,
    summary_text,
    too_long_text,
    upload_text,
    verdicts_of,
)
from bot.dialogs.batch.work import (
    Sheet,
    another,
    any_clean,
    any_fined,
    any_ready,
    as_before,
    bill,
    drop,
    finding_template,
    finished,
    has_template,
    has_verdicts,
    is_large,
    look_again,
    price_ends,
    quoting,
    reading,
    reading_anew,
    ref_of,
    starting,
    stopping,
    take_batch,
    take_news,
    take_quote,
    take_stopped,
    take_template,
    template_excel,
    template_text,
    verdicts_excel,
    verdicts_text,
    with_fines,
    without_fines,
)
from bot.dialogs.company.effects import (
    BatchRefused,
    FindTemplate,
    QuoteBatch,
    ReadBatch,
    StartBatch,
    StartBatchRefused,
    StopBatch,
)
from bot.i18n.text import N_
from bot.spec import (
    After,
    Call,
    Choose,
    Decide,
    Dialog,
    Do,
    End,
    Fault,
    Go,
    Identify,
    Link,
    Notice,
    Pick,
    Upload,
    WakesTo,
)

__all__ = ["DIALOG", "S", "Sheet"]


class S(StrEnum):
    """States."""

    TEMPLATE = "template"
    UPLOAD = "upload"
    STARTING = "starting"
    START_SIGN = "start_sign"
    START_DOWN = "start_down"
    LOST = "lost"
    UNREADABLE = "unreadable"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    FORBIDDEN = "forbidden"
    STANDING = "standing"
    RUNNING = "running"
    READING = "reading"
    READ_SIGN = "read_sign"
    ANEW = "anew"
    ANEW_SIGN = "anew_sign"
    ANEW_DOWN = "anew_down"
    LOOKING = "looking"
    LOOKED = "looked"
    QUIET = "quiet"
    READ_DOWN = "read_down"
    GONE = "gone"
    STOPPED = "stopped"
    STOPPING = "stopping"
    ENDED = "ended"
    SUMMARY = "summary"
    FINED = "fined"
    FINES = "fines"
    DURATION = "duration"
    TERMS = "terms"
    QUOTING = "quoting"
    QUOTE_SIGN = "quote_sign"
    QUOTE_DOWN = "quote_down"
    NONE_LEFT = "none_left"
    PRICE = "price"
    EXPIRED = "expired"
    SIGN_AGAIN = "sign_again"
    PAYING = "paying"
    PAID = "paid"
    LEFT = "left"


_NEWS: Final = {
    "progress": WakesTo(ref_of, S.RUNNING, take_news),
    "done": WakesTo(ref_of, S.READING),  # read anew: the address of the verdicts speaks the chat's language
    "stopped": WakesTo(ref_of, S.STOPPED, drop),
}
_SLOW: Final = N_("The ministry's records are slow today; I am still asking.")
_AGAIN: Final = N_("Try again")
_ANOTHER: Final = Go[Sheet](N_("Another file"), S.UPLOAD, put=another)
_BY_DURATION: Final = Go[Sheet](N_("Choose the duration"), S.FINED, when=any_ready, put=without_fines)
_CHECK_AGAIN: Final = Go[Sheet](N_("Check again"), S.ANEW)

DIALOG = Dialog[Sheet](
    id="batch",
    version=2,
    migrations={1: as_before},
    title=N_("A list of workers"),
    answers=Sheet,
    start=S.TEMPLATE,
    cancel=S.LEFT,
    notices={
        "done": Notice(done_notice, (N_("🔗 Verdicts (Excel)"), verdicts_of)),
        "stopped": Notice(stopped_notice),
    },
    help=N_(
        "Send a file with civil IDs, Excel or CSV. Each row gets a verdict, then you choose a duration and pay once for all."
    ),
    states={
        S.TEMPLATE: Do(FindTemplate, finding_template, then=S.UPLOAD, otherwise=S.UPLOAD, keep=take_template),
        S.UPLOAD: Upload(
            upload_text,
            into="file",
            then=S.STARTING,
            choices=(
                Link(N_("🔗 Empty list, Excel"), template_excel, when=has_template),
                Link(N_("🔗 Empty list, CSV"), template_text, when=has_template),
            ),
        ),
        S.STARTING: Do(
            StartBatch,
            starting,
            then=S.STANDING,
            otherwise=S.START_DOWN,
            keep=take_batch,
            refused=StartBatchRefused,
            failed={
                StartBatchRefused.GONE: S.LOST,
                StartBatchRefused.UNREADABLE: S.UNREADABLE,
                StartBatchRefused.EMPTY: S.EMPTY,
                StartBatchRefused.TOO_LONG: S.TOO_LONG,
                Fault.UNSIGNED: S.START_SIGN,
                Fault.FORBIDDEN: S.FORBIDDEN,
            },
            timeout=60,
            slow=N_("I am reading the file; one moment."),
        ),
        S.START_SIGN: Identify(then=S.STARTING, left=S.UPLOAD),
        S.START_DOWN: Choose(
            N_("The file could not be taken in just now. Nothing was lost; try again."),
            (Go(_AGAIN, S.STARTING), _ANOTHER),
            entry=False,
        ),
        S.LOST: Choose(
            N_("The file is not kept any more: files are kept for an hour. Please send it again."),
            (Go(N_("Send it"), S.UPLOAD),),
            entry=False,
        ),
        S.UNREADABLE: Choose(
            N_(
                "I cannot read this file. I take Excel (xlsx) and CSV, without a password. Save it so and send it again."
            ),
            (Go(N_("Send it"), S.UPLOAD),),
            entry=False,
        ),
        S.EMPTY: Choose(
            N_(
                "I find no column of civil IDs in this file. They have 12 digits; put them into one column, one a row."
            ),
            (Go(N_("Send it"), S.UPLOAD),),
            entry=False,
        ),
        S.TOO_LONG: Choose(too_long_text, (Go(N_("Send it"), S.UPLOAD),), entry=False),
        S.FORBIDDEN: End(N_("You are not an authorised user of this body any more. Nothing was paid.")),
        S.STANDING: Decide(((finished, S.SUMMARY),), otherwise=S.RUNNING),
        S.RUNNING: Choose(
            running_text,
            (Go(N_("How far is it?"), S.READING), Go(N_("Stop checking"), S.STOPPING)),
            after=After(look_again, S.LOOKING),
            wakes=_NEWS,
            entry=False,
        ),
        S.READING: Do(
            ReadBatch,
            reading,
            then=S.STANDING,
            otherwise=S.READ_DOWN,
            keep=take_batch,
            refused=BatchRefused,
            failed={
                BatchRefused.GONE: S.GONE,
                BatchRefused.NONE_LEFT: S.GONE,
                Fault.UNSIGNED: S.READ_SIGN,
                Fault.FORBIDDEN: S.FORBIDDEN,
            },
            wakes=_NEWS,
        ),
        S.READ_SIGN: Identify(then=S.READING, left=S.QUIET),
        S.ANEW: Do(
            ReadBatch,
            reading_anew,
            then=S.STANDING,
            otherwise=S.ANEW_DOWN,
            keep=take_batch,
            refused=BatchRefused,
            failed={
                BatchRefused.GONE: S.GONE,
                BatchRefused.NONE_LEFT: S.GONE,
                Fault.UNSIGNED: S.ANEW_SIGN,
                Fault.FORBIDDEN: S.FORBIDDEN,
            },
            timeout=120,
            slow=_SLOW,
        ),
        S.ANEW_SIGN: Identify(then=S.ANEW, left=S.SUMMARY),
        S.ANEW_DOWN: Choose(
            N_("The ministry's records do not answer now. Nothing was lost; try again in a moment."),
            (Go(_AGAIN, S.ANEW),),
            back=S.SUMMARY,
            entry=False,
        ),
        S.LOOKING: Do(
            ReadBatch,
            reading,
            then=S.LOOKED,
            otherwise=S.QUIET,  # the chat hears of it when it is done
            keep=take_batch,
            refused=BatchRefused,
            failed={BatchRefused.GONE: S.GONE, BatchRefused.NONE_LEFT: S.GONE},
            wakes=_NEWS,
        ),
        S.LOOKED: Decide(((finished, S.SUMMARY),), otherwise=S.QUIET),
        S.QUIET: Choose(
            running_text,
            (Go(N_("How far is it?"), S.READING), Go(N_("Stop checking"), S.STOPPING)),
            after=After(look_again, S.LOOKING),
            wakes=_NEWS,
            silent=True,
            entry=False,
        ),
        S.READ_DOWN: Choose(
            N_("How the list stands cannot be seen just now. It goes on being checked."),
            (Go(_AGAIN, S.READING),),
            wakes=_NEWS,
            entry=False,
        ),
        S.GONE: End(
            N_("The list is not kept any more: lists are kept for a week. Please send the file again.")
        ),
        S.STOPPED: Choose(
            N_(
                "Checking has stopped: the ministry's records did not answer for hours, or you may not act for this body "
                "any more. Nothing was paid; the file can be sent again."
            ),
            (_ANOTHER,),
            rest=True,
            entry=False,
        ),
        S.STOPPING: Do(StopBatch, stopping, then=S.ENDED, otherwise=S.READ_DOWN, keep=take_stopped),
        S.ENDED: End(N_("Checking is stopped and the list is deleted. Nothing was paid.")),
        S.SUMMARY: Choose(
            summary_text,
            (
                Link(N_("🔗 Verdicts (Excel)"), verdicts_excel, when=has_verdicts),
                Link(N_("🔗 Verdicts (CSV)"), verdicts_text, when=has_verdicts),
                _BY_DURATION,
                _CHECK_AGAIN,
                Go(N_("New link"), S.READING),
                _ANOTHER,
            ),
            noun=N_("List"),
            wakes={"done": WakesTo(ref_of, None)},
        ),
        S.FINED: Decide(((any_fined, S.FINES),), otherwise=S.DURATION),
        S.FINES: Choose(
            fines_text,
            (
                Go(N_("Without them"), S.DURATION, when=any_clean, put=without_fines, id="without"),
                Go(N_("With their fines"), S.DURATION, put=with_fines, id="with"),
            ),
            noun=N_("Workers with fines"),
            back=S.SUMMARY,
        ),
        S.DURATION: Pick(duration_text, options=durations, into="plan", then=S.TERMS, back=S.SUMMARY),
        S.TERMS: Choose(
            N_(
                "By going on you agree: the Latin names in the verdict file are right; a fee paid is not returned once the "
                "renewal is recorded; what the ministry's records say decides. Nothing is paid yet."
            ),
            (Go(N_("I agree"), S.QUOTING),),
            noun=N_("Terms"),
            back=S.DURATION,
        ),
        S.QUOTING: Do(
            QuoteBatch,
            quoting,
            then=S.PRICE,
            otherwise=S.QUOTE_DOWN,
            keep=take_quote,
            refused=BatchRefused,
            failed={
                BatchRefused.GONE: S.GONE,
                BatchRefused.NONE_LEFT: S.NONE_LEFT,
                Fault.UNSIGNED: S.QUOTE_SIGN,
                Fault.FORBIDDEN: S.FORBIDDEN,
            },
            timeout=120,
            slow=_SLOW,
        ),
        S.QUOTE_SIGN: Identify(then=S.QUOTING, left=S.TERMS),
        S.QUOTE_DOWN: Choose(
            N_("The ministry's records do not answer now, so there is no price yet. Nothing was paid."),
            (Go(_AGAIN, S.QUOTING),),
            entry=False,
        ),
        S.NONE_LEFT: Choose(
            N_("For that duration nobody of the list can be renewed any more. Nothing was paid."),
            (_CHECK_AGAIN,),
            entry=False,
        ),
        S.PRICE: Choose(
            price_text,
            (Go(pay_label, S.SIGN_AGAIN), Go(N_("Change the duration"), S.DURATION)),
            after=After(price_ends, S.EXPIRED),
            back=S.DURATION,
            entry=False,
        ),
        S.EXPIRED: Choose(expired_text, (Go(N_("New price"), S.QUOTING),), back=S.DURATION, entry=False),
        S.SIGN_AGAIN: Identify(then=S.PAYING, left=S.PRICE, again=is_large),
        S.PAYING: Call("checkout", given=bill, then=S.PAID, left=S.READING),
        S.PAID: Choose(
            N_("The ministry's records show the new dates within 15 minutes as a rule. Anything else?"),
            (_CHECK_AGAIN, _ANOTHER),
            rest=True,
            entry=False,
        ),
        S.LEFT: End(left_text),
    },
)
