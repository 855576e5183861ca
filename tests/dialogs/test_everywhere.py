"""Every command, every old button and every kind of nonsense, in every state of every dialog."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.dialogs.checkout import CancelOrder, CheckoutRefused, CheckPayment, OpenOrder, RenewLink, Status
from bot.dialogs.company import (
    Bodies,
    FindWorker,
    FindWorkerRefused,
    Found,
    ListBodies,
    ListWorkers,
    QuoteWorkers,
    Workers,
)
from bot.dialogs.company.effects import (
    BatchRefused,
    FindTemplate,
    QuoteBatch,
    ReadBatch,
    StartBatch,
    StartBatchRefused,
    StopBatch,
    Stopped,
)
from bot.dialogs.family_join import AskDay, Today
from bot.dialogs.find_reference import FindReference, FindReferenceRefused, Reference
from bot.dialogs.identify import (
    BeginSignIn,
    Confirmed,
    ConfirmSignIn,
    SignInLink,
    SignInPause,
    SignInRefused,
)
from bot.dialogs.my_data import (
    Export,
    ExportData,
    ForgetAll,
    Forgotten,
    Kept,
    ListKept,
    Recall,
    Recalled,
    Remember,
    Remembered,
    RememberRefused,
    Unremember,
)
from bot.dialogs.overstay import CheckOverstay, CheckTravel, EstimateOverstay, NoPermit
from bot.dialogs.real_link import CheckLinks
from bot.dialogs.real_link.verdict import Trick, Verdict, Whose
from bot.dialogs.receipts import Listed, ListReceipts, ReadReceipt, Receipts
from bot.dialogs.reminders import Dropped, DropReminders, Known, ListReminders, Remind, RemindRefused
from bot.dialogs.renewal import File, ListFile, QuoteRefused, QuoteRenewals
from bot.dialogs.violations import FindFines, FindFinesRefused, Owed
from bot.model import Elapsed, Outcome, Slow
from bot.ports import Effect
from bot.residency.reminding import Kind
from bot.spec import Ask, Do, Fault, Waiting
from tests.dialogs.data import BARRED, HOST, ORDER, OWED, PAGE, PAID, link, standing
from tests.dialogs.dates import known, me, son
from tests.dialogs.family import FAMILY, SON, WIFE, price
from tests.dialogs.harness import BOOK, CIVIL_ID, NOON, Chat
from tests.dialogs.leaving import cleared, stayed
from tests.dialogs.places import MANY, PLACES, stand
from tests.dialogs.staff import (
    BEGUN,
    BLOCKED,
    CHECKED,
    COMPANY,
    DUE,
    FOUND,
    HALF,
    HOPELESS,
    MINISTRY,
    QUOTE,
    TEMPLATE,
    quoted,
)

EVERYWHERE = pytest.mark.parametrize(("dialog", "state"), PLACES)


def spec(chat: Chat) -> Any:
    states: Any = BOOK.dialogs[chat.top.dialog].states
    return states[chat.top.state]


@EVERYWHERE
def test_menu(language: str, dialog: str, state: str) -> None:
    stand(language, dialog, state).says("/menu").stands().hears("Which service?")


@EVERYWHERE
def test_language_keeps_the_place(language: str, dialog: str, state: str) -> None:
    chat = stand(language, dialog, state)
    before = chat.session
    chat.says("/language").hears("From now on in English.")
    assert chat.session.frames == before.frames
    assert chat.session.due == before.due, "the clock of the question goes on"
    assert chat.language != language
    assert not chat.effects


@EVERYWHERE
def test_help_keeps_the_place(language: str, dialog: str, state: str) -> None:
    chat = stand(language, dialog, state)
    before = chat.session
    chat.says("/help").hears("Send a civil ID and I show")
    assert (chat.session.frames, chat.session.due) == (before.frames, before.due)
    assert not chat.effects
    if isinstance(spec(chat), Do):
        chat.hears("One moment, I am still asking.")


@EVERYWHERE
def test_back_says_something_and_rests(language: str, dialog: str, state: str) -> None:
    chat = stand(language, dialog, state).says("/back")
    assert chat.said or chat.effects
    assert isinstance(spec(chat), Waiting | Do)


@EVERYWHERE
def test_cancel_leaves_or_asks_the_gateway(language: str, dialog: str, state: str) -> None:
    chat = stand(language, dialog, state).says("/cancel")
    if dialog == "checkout":
        assert chat.effects == [CancelOrder(ORDER)]
        chat.lets_go(standing(Status.CANCELLED)).hears("Cancelled. Nothing was taken.").stands(
            "violations.owed"
        )
    elif dialog in {"find_reference", "verify"}:
        chat.stands("violations.method")
    elif dialog == "batch":
        chat.stands("company.desk")
    else:
        chat.stands().hears("Which service?")


NONSENSE: list[Callable[[Chat], Chat]] = [
    lambda chat: chat.says("🙂"),
    lambda chat: chat.says("x" * 10_000),
    lambda chat: chat.says("\u202e\u200f"),
    lambda chat: chat.says("\n"),
    lambda chat: chat.says("/"),
    lambda chat: chat.says("/start"),
    lambda chat: chat.says("/resume"),
    lambda chat: chat.says("/language xx"),
    lambda chat: chat.says("999999999999999"),
    lambda chat: chat.says("²"),
    lambda chat: chat.attaches("voice"),
    lambda chat: chat.press_token("violations/owed/paying/1"),
    lambda chat: chat.press_token(f"{chat.top.dialog}/{chat.top.state}//0"),
    lambda chat: chat.press_token("/nothing"),
    lambda chat: chat.wait(hours=2).says("🙂"),
    lambda chat: chat.wait(hours=30).says("🙂"),
]


@EVERYWHERE
@pytest.mark.parametrize("nonsense", range(len(NONSENSE)))
def test_nonsense_is_answered(dialog: str, state: str, nonsense: int) -> None:
    chat = NONSENSE[nonsense](stand("ar", dialog, state))
    assert chat.said or chat.effects
    assert isinstance(spec(chat), Waiting | Do)


@EVERYWHERE
def test_what_is_not_for_this_state_is_silent(dialog: str, state: str) -> None:
    chat = stand("ar", dialog, state)
    before = chat.session.frames
    address: Any = {"chat": chat.address}
    chat.act(Elapsed(id="a", asked=1, **address)).hears_nothing()
    chat.act(Outcome(id="b", key="another", value=OWED, **address)).hears_nothing()
    chat.act(Outcome(id="c", key="", value=OWED, **address)).hears_nothing()
    chat.act(Slow(id="d", key="another", **address)).hears_nothing()
    chat.wakes("unheard of", ORDER).hears_nothing()
    assert chat.session.frames == before


@EVERYWHERE
def test_a_payment_is_told_wherever_one_is(language: str, dialog: str, state: str) -> None:
    chat = stand(language, dialog, state).wakes("paid", ORDER, **PAID)
    if (dialog, state) != ("checkout", "paid"):
        chat.hears("✓ Paid: *{amount}*")


@EVERYWHERE
def test_every_choice_can_be_pressed_and_typed(language: str, dialog: str, state: str) -> None:
    fresh = stand(language, dialog, state)
    if not isinstance(spec(fresh), Waiting):
        return
    labels = fresh.says("/resume").last.labels
    for number, label in enumerate(labels, 1):
        pressed, typed, counted = (stand(language, dialog, state).says("/resume") for _ in range(3))
        button = pressed.last.buttons[number - 1]
        if button.url:
            typed.says(label).hears_text(button.url)
            continue
        pressed.press_token(button.token, pressed.last.id)
        typed.says(label)
        assert _where(pressed) == _where(typed), label
        if not isinstance(spec(fresh), Ask) and not getattr(spec(fresh), "done", None):
            counted.says(str(number))
            assert _where(pressed) == _where(counted), label


def _where(chat: Chat) -> Any:
    return (
        [(f.dialog, f.state, f.answers, f.picked, f.page) for f in chat.session.frames],
        chat.effects,
        chat.language,
    )


OUTCOMES: dict[type[Effect], list[Any]] = {
    ListBodies: [Bodies((COMPANY,)), Bodies((COMPANY, MINISTRY)), Bodies(()), *Fault],
    ListWorkers: [DUE, Workers(()), *Fault],
    FindWorker: [FOUND, Found(BLOCKED), *FindWorkerRefused, *Fault],
    QuoteWorkers: [quoted(), quoted(changed=True, large=True), *QuoteRefused, *Fault],
    FindTemplate: [TEMPLATE, *Fault],
    StartBatch: [BEGUN, CHECKED, *StartBatchRefused, *Fault],
    ReadBatch: [HALF, CHECKED, HOPELESS, *BatchRefused, *Fault],
    StopBatch: [Stopped(), *Fault],
    QuoteBatch: [QUOTE, *BatchRefused, *Fault],
    FindFines: [OWED, Owed(()), Owed((BARRED,)), Owed(MANY), *FindFinesRefused, *Fault],
    FindReference: [Reference("12345678"), *FindReferenceRefused, *Fault],
    OpenOrder: [link(), *CheckoutRefused, *Fault],
    RenewLink: [link(), *CheckoutRefused, *Fault],
    CheckPayment: [*(standing(status) for status in Status), *Fault],
    CancelOrder: [*(standing(status) for status in Status), *CheckoutRefused, *Fault],
    ListKept: [Kept(), Kept("2850****0029", NOON + 1, renew=True, orders=3, paid=1), *Fault],
    Remember: [Remembered("2850****0029", NOON + 1), *RememberRefused, *Fault],
    Unremember: [Kept(), *Fault],
    ExportData: [Export(PAGE, NOON + 3600), *Fault],
    ForgetAll: [Forgotten(), Forgotten(ORDER), Forgotten(stays=2, until=NOON + 1), *Fault],
    BeginSignIn: [
        SignInLink("S1", PAGE, HOST, NOON + 300),
        SignInPause(5, NOON + 600),
        *SignInRefused,
        *Fault,
    ],
    ConfirmSignIn: [Confirmed(CIVIL_ID), *SignInRefused, *Fault],
    Recall: [Recalled(CIVIL_ID), Recalled(), *Fault],
    ListReceipts: [Receipts((), more=False), Receipts((Listed(ORDER, 45_000, NOON),), more=True), *Fault],
    ListReminders: [known(me(), son(Kind.RESIDENCY), others=1, renew=True), Known(), *Fault],
    Remind: [known(me(Kind.RESIDENCY)), *RemindRefused, *Fault],
    DropReminders: [Dropped(), Dropped(2), *Fault],
    CheckLinks: [*(Verdict(whose, "moi.example.kw", Trick.LIKE, "moi.gov.kw") for whose in Whose), *Fault],
    ListFile: [FAMILY, File(()), File((SON, WIFE)), *Fault],
    QuoteRenewals: [
        price((WIFE, 1), (SON, 2)),
        price((WIFE, 1), changed=True, large=True),
        *QuoteRefused,
        *Fault,
    ],
    CheckOverstay: [stayed(), stayed(-45), *NoPermit, *Fault],
    EstimateOverstay: [stayed(), stayed(-400), *Fault],
    CheckTravel: [cleared(), cleared(-1, travel_ban=True), *NoPermit, *Fault],
    AskDay: [Today("2026-11-21"), *Fault],
    ReadReceipt: [standing(Status.PAID), standing(Status.REVIEW, "second"), *Fault],
}
WORDS = [
    CIVIL_ID,
    "12345678",
    "A1234567",
    "12/03/2027",
    "1",
    "1 3",
    "https://moi.gov.kw@evil.example",
    "نعم",
    "pay",
    "/back",
    "/cancel",
    "/help",
    "🙂",
]


def test_every_effect_of_the_dialogs_is_listed() -> None:
    effects = {
        state.effect
        for dialog in BOOK.dialogs.values()
        for state in dialog.states.values()
        if isinstance(state, Do)
    }
    assert effects == set(OUTCOMES)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_conversation(data: st.DataObject) -> None:
    """Whatever is pressed, written and answered: something is said, nothing breaks, the stack stays small."""
    chat = Chat(data.draw(st.sampled_from(["ar", "en"])))
    for _ in range(data.draw(st.integers(3, 15))):
        match data.draw(
            st.sampled_from(["press", "press", "press", "old", "write", "outcome", "wait", "wake"])
        ):
            case "press" if chat.screen and any(m.buttons for m in chat.screen[-1:]):
                button = data.draw(st.sampled_from(chat.screen[-1].buttons))
                if button.token:
                    chat.press_token(button.token, chat.screen[-1].id)
            case "old" if old := [(m.id, b.token) for m in chat.screen for b in m.buttons if b.token]:
                source, token = data.draw(st.sampled_from(old))
                chat.press_token(token, source)
            case "outcome" if chat.held:
                work = chat.held[0]
                chat.lets_go(data.draw(st.sampled_from(OUTCOMES[type(work.effect)])))
            case "wait":
                chat.wait(minutes=data.draw(st.sampled_from([1, 5, 30, 90, 2000])))
            case "wake":
                kind = data.draw(st.sampled_from(["paid", "posted", "refused", "review", "refunded"]))
                chat.wakes(kind, ORDER, **PAID)
            case _:
                chat.says(data.draw(st.sampled_from(WORDS)))
        assert len(chat.session.frames) <= 5, "home, a service, what it called, signing in, a link aside"
        if chat.session.frames:
            assert isinstance(spec(chat), Waiting | Do)
    assert chat.now >= NOON
