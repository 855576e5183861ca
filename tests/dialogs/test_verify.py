"""Open look-ups used up: the picture, signing in, waiting, and one's own fines."""

import pytest

from bot.dialogs.checkout import OpenOrder
from bot.dialogs.find_reference import FindReference, Reference
from bot.dialogs.identify import BeginSignIn, Confirmed, ConfirmSignIn, SignInLink
from bot.dialogs.verify import Held, Why
from bot.dialogs.violations import FindFines, FindFinesRefused, Owed
from bot.domain import Subject
from bot.i18n.text import Code, Hour
from bot.model import Woken
from bot.spec import Fault
from tests.dialogs.data import LOOK_UP, OWED, THREE, items, link
from tests.dialogs.harness import CIVIL_ID, MASKED, NOON, Chat

PICTURE = Held(
    why=Why.CHAT,
    limit=10,
    until=NOON + 3000,
    url="https://iqamati.example/verify/t",
    ref="V1",
    closes=NOON + 900,
)
PAUSE = Held(pause=True, why=Why.CHAT, limit=20, until=NOON + 3000)
OWN = FindFines(Subject.CIVIL_ID, "")
OWN_OWED = Owed(OWED.fines, MASKED)


def passes(chat: Chat, ref: str = "V1") -> Chat:
    """The digits were typed on the page."""
    return chat.act(Woken(dialog="verify", kind="verified", ref=ref, **chat._event()))


def signs_in(chat: Chat) -> Chat:
    """The way through identify, once it has begun."""
    sign_in = SignInLink("S1", "https://iqamati.example/signin/t", "id.example.kw", chat.now + 300)
    chat.answers(BeginSignIn, sign_in).answers(ConfirmSignIn, Confirmed(CIVIL_ID))
    return chat


def finishes_signing_in(chat: Chat) -> Chat:
    return chat.returned("S1").says("402917")


def held(chat: Chat, why: Held = PICTURE) -> Chat:
    return chat.answers(FindFines, why, OWED).says(CIVIL_ID)


def test_the_picture_and_then_on_from_where_it_was(chat: Chat) -> None:
    held(chat).did(LOOK_UP).stands("violations.held", "verify.picture")
    chat.hears("From one chat I look up", n=10)
    chat.hears("To go on now, type", closes=Hour(PICTURE.closes), until=Hour(PICTURE.until))
    chat.offers("🔗 Verification page", "Sign in", "Back", "Menu")
    assert chat.last.buttons[0].url == PICTURE.url
    passes(chat).stands("violations.owed").did(LOOK_UP).hears("✓ The digits were right.").hears_text(MASKED)


def test_the_limit_says_what_it_is(chat: Chat) -> None:
    starts = {
        Why.CHAT: "From one chat I look up",
        Why.PERSON: "For somebody signed in I look up",
        Why.NUMBER: "One number is looked up for",
        Why.TRIES: "For one civil ID I try",
        Why.ADDRESS: "From one internet connection I look up",
        Why.PICTURES: "{n} picture was answered wrongly.",
    }
    assert set(starts) == set(Why)
    for why, start in starts.items():
        for limit in (1, 2, 5, 20, 100):
            before = Held(pause=True, why=why, limit=limit, until=NOON + 3000)
            chat.answers(FindFines, before).says("/menu").says(CIVIL_ID).hears(start, n=limit)


def test_another_verifications_news_is_not_this_ones(chat: Chat) -> None:
    held(chat)
    passes(chat, "V2").stands("violations.held", "verify.picture").hears(
        "✓ The digits were right. Look-ups go on."
    )


def test_news_after_leaving_is_told_and_moves_nothing(chat: Chat) -> None:
    held(chat).says("/menu").stands()
    passes(chat).stands().hears("✓ The digits were right. Look-ups go on.")


def test_the_same_news_twice_looks_up_once(chat: Chat) -> None:
    held(chat).did(LOOK_UP)
    news = Woken(dialog="verify", kind="verified", ref="V1", **chat._event())
    chat.act(news).did(LOOK_UP).act(news).did().hears_nothing()


def test_a_closed_page_is_silent_and_a_new_link_is_one_press_away(chat: Chat) -> None:
    chat.answers(FindFines, PICTURE, PICTURE, OWED).says(CIVIL_ID).wait(minutes=16).hears_nothing()
    chat.stands("violations.held", "verify.closed").says("?").hears("The page with the picture has closed.")
    chat.presses("New link").stands("violations.held", "verify.picture").did(LOOK_UP, LOOK_UP)
    passes(chat).stands("violations.owed")


def test_signing_in_lifts_it(chat: Chat) -> None:
    signs_in(held(chat)).presses("Sign in").stands("violations.held", "verify.sign_in", "identify.link")
    chat.effects.clear()
    finishes_signing_in(chat).stands("violations.owed").hears_text(MASKED)
    assert chat.effects == [ConfirmSignIn("S1", "402917"), LOOK_UP]


def test_not_signing_in_after_all_tells_anew_how_it_stands(chat: Chat) -> None:
    chat.answers(FindFines, PICTURE)
    signs_in(chat).says(CIVIL_ID).presses("Sign in").says("/cancel").hears("Nobody was signed in.")
    chat.stands("violations.held", "verify.picture").hears("From one chat I look up", n=10)


def test_a_pause_ends_by_itself_and_the_answer_comes(chat: Chat) -> None:
    held(chat, PAUSE).stands("violations.held", "verify.pause").hears("From one chat I look up", n=20)
    chat.hears("I go on at {until} and write to you. Signing in", until=Hour(PAUSE.until))
    chat.offers("Sign in", "Back", "Menu")
    chat.wait(seconds=2999).hears_nothing().wait(seconds=1).stands("violations.owed").did(LOOK_UP, LOOK_UP)


def test_whoever_is_signed_in_is_not_asked_to_sign_in(chat: Chat) -> None:
    held(chat, Held(pause=True, why=Why.PERSON, limit=40, until=NOON + 60)).offers("Back", "Menu")
    chat.hears("I go on at {until} and write to you.").hears_not(
        "I go on at {until} and write to you. Signing in"
    )


def test_leaving_keeps_the_place(chat: Chat) -> None:
    held(chat).presses("Back").stands("violations.method").did(LOOK_UP)
    held(chat, PAUSE).says("/cancel").hears("Stopped. Nothing was looked up.").stands("violations.method")


def test_a_try_while_the_registry_is_down_may_be_held_too(chat: Chat) -> None:
    chat.answers(FindFines, Fault.UNAVAILABLE, PICTURE).says(CIVIL_ID).wait(minutes=1)
    chat.stands("violations.held", "verify.picture").hears("From one chat I look up")


@pytest.mark.parametrize("why", [PICTURE, PAUSE])
def test_finding_the_reference_is_held_and_goes_on(chat: Chat, why: Held) -> None:
    asked = FindReference(CIVIL_ID, "A1234567", "2027-03-12")
    chat.answers(FindReference, why, Reference("12345678"))
    chat.says("/menu").presses("My MOI reference").says(CIVIL_ID).says("A1234567").says("12/03/2027")
    chat.stands("find_reference.held", f"verify.{'pause' if why.pause else 'picture'}")
    chat.wait(seconds=3000) if why.pause else passes(chat)
    chat.stands().did(asked, asked).hears("Your MOI reference number", number=Code("12345678"))
    assert "A1234567" not in repr(chat.session)


def test_a_reference_not_looked_up_is_left_without_the_passport(chat: Chat) -> None:
    chat.answers(FindReference, PICTURE)
    chat.says("/menu").presses("My MOI reference").says(CIVIL_ID).says("A1234567").says("12/03/2027")
    chat.presses("Back").stands().hears("Stopped. Nothing was looked up.")
    assert "A1234567" not in repr(chat.session)


# --- one's own -----------------------------------------------------------------------------------


def test_ones_own_fines_need_no_number(chat: Chat) -> None:
    signs_in(chat).answers(FindFines, OWN_OWED).answers(OpenOrder, link())
    chat.says("/menu").says("1").says("3").presses("My own, signed in")
    chat.stands("violations.own", "identify.link").effects.clear()
    finishes_signing_in(chat).stands("violations.owed")
    chat.hears("Your own civil ID {number}", number=Code(MASKED))
    assert chat.effects[-1] == OWN
    assert CIVIL_ID not in repr(chat.session.frames), "the dialog never learns it"
    chat.effects.clear()
    chat.presses("Pay all").did(OpenOrder(MASKED, items(*THREE)))
    chat.says("/menu").says("1").says("3").presses("My own, signed in").did(OWN).stands("violations.owed")


def test_a_sign_in_that_ended_meanwhile_is_asked_for_again(chat: Chat) -> None:
    signs_in(chat).answers(FindFines, FindFinesRefused.NOBODY, OWN_OWED)
    chat.says("/menu").says("1").says("3").presses("My own, signed in")
    finishes_signing_in(chat).did(BeginSignIn(), ConfirmSignIn("S1", "402917"), OWN, OWN).stands(
        "violations.owed"
    )


def test_not_signing_in_leads_back_to_the_question(chat: Chat) -> None:
    signs_in(chat).says("/menu").says("1").says("3").presses("My own, signed in").says("/back")
    chat.stands("violations.method").presses("Civil ID").answers(FindFines, OWED).says(CIVIL_ID)
    chat.hears("Civil ID {number}", number=Code(MASKED)).stands("violations.owed")


def test_ones_own_clean_record_reads_like_any_other(chat: Chat) -> None:
    signs_in(chat).answers(FindFines, Owed((), MASKED))
    chat.says("/menu").says("1").says("3").presses("My own, signed in")
    finishes_signing_in(chat).hears("There are no recorded violations on it.").hears("Your own civil ID")
