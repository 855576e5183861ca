"""The auditor on journals made by hand: what it must notice, and what it must not take for a fault."""

from typing import Any

from tests.chaos.evidence import Evidence, Report
from tests.chaos.journal import Journal, Note
from tests.chaos.mail import Button, Message
from tests.chaos.replies import DIED, FORGOT, MUST_NOT, SHOWN_AGAIN, TAKEN_BACK, replies

CHAT = "700000001"


def question(number: int, text: str = "Which?", ref: str = "") -> Message:
    """A question of the turn ``number``."""
    token = f"violations/owed/pay/{_base36(number)}"
    return Message(ref or f"m{number}", text, (Button("Pay", token),))


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return digits[number] if number < 36 else _base36(number // 36) + digits[number % 36]


class Told:
    """A journal with times of its own."""

    def __init__(self) -> None:
        self.journal = Journal()

    def note(self, at: float, kind: str, chat: str = "", **data: Any) -> "Told":
        self.journal.notes.append(Note(at, kind, chat, data))
        self.journal.counts[kind] += 1
        return self

    def say(self, at: float, message: Message, who: str = "p0.1") -> "Told":
        return self.note(at, "say", CHAT, who=who, message=message)

    def edit(self, at: float, ref: str, who: str = "p0.1") -> "Told":
        return self.note(at, "edit", CHAT, who=who, message=Message(ref, "Which?\n✓ Pay"))

    def press(self, at: float, asked: int, taken: float = 0.0) -> "Told":
        told = {"id": f"{at}", "asked": asked, "answered": True, "taken": taken or at + 0.1}
        return self.note(at, "update", CHAT, **told)

    @property
    def report(self) -> Report:
        found = Report()
        evidence = Evidence(
            journal=self.journal,
            book={},
            orders=[],
            items=[],
            attempts=[],
            outbox=0,
            sessions=0,
            aside=0,
            logs={},
            errors={},
            ledger="",
        )
        replies(evidence, found)
        return found

    @property
    def faults(self) -> set[str]:
        return {what for what, count in self.report.must_be_nothing.items() if count}


def walked() -> Told:
    """A question, pressed, led on to the next."""
    return Told().say(1.0, question(100)).press(2.0, 100).edit(2.2, "m100").say(2.3, question(102))


def test_a_plain_walk_is_clean() -> None:
    told = walked()
    assert told.faults == set()
    assert set(MUST_NOT) <= set(told.report.must_be_nothing)


def test_a_reply_said_twice_by_living_processes() -> None:
    assert walked().say(11.0, question(102, ref="m9"), "p1.1").faults == {MUST_NOT[0]}


def test_a_reply_said_twice_because_its_process_died() -> None:
    told = walked().note(2.8, "kill", who="p0.1").say(11.0, question(102, ref="m9"), "p1.1")
    assert told.faults == set()
    assert told.report.counts[DIED] == 1


def test_a_death_long_after_explains_nothing() -> None:
    told = walked().note(9.0, "kill", who="p0.1").say(18.0, question(102, ref="m9"), "p1.1")
    assert told.faults == {MUST_NOT[0]}


def test_while_redis_is_away_nothing_can_be_noted() -> None:
    told = walked().note(2.5, "network", what="cut").note(8.0, "network well")
    told.note(9.0, "kill", who="p0.1").say(18.0, question(102, ref="m9"), "p1.1")
    assert told.faults == set()
    assert told.report.counts[DIED] == 1


def test_a_note_lost_with_a_primary() -> None:
    told = walked().note(3.0, "primary killed").note(7.0, "failover", seconds=4.0)
    told.say(14.0, question(102, ref="m9"), "p0.1")
    assert told.faults == set()
    assert told.report.counts[FORGOT] == 1


def test_two_presses_too_late_are_shown_the_question_twice() -> None:
    shown = question(102, f"{SHOWN_AGAIN}. Which?", "m7")
    told = walked().press(3.0, 100).press(3.1, 100).say(3.3, shown).say(3.4, shown)
    assert told.faults == set()


def test_a_press_that_is_answered_twice() -> None:
    shown = question(102, f"{SHOWN_AGAIN}. Which?", "m7")
    assert walked().say(3.3, shown).faults == {"presses answered twice"}


def test_one_press_too_late_that_is_shown_the_question_twice() -> None:
    shown = question(102, f"{SHOWN_AGAIN}. Which?", "m7")
    assert walked().press(3.0, 100).say(3.3, shown).say(3.4, shown).faults == {MUST_NOT[0]}


def test_an_older_question_after_a_younger_one() -> None:
    assert walked().press(3.0, 102).say(3.3, question(101)).faults == {"replies out of order"}


def test_a_turn_taken_back_by_a_failover() -> None:
    told = walked().note(3.0, "primary killed").note(7.0, "failover", seconds=4.0)
    told.press(9.0, 102).say(9.3, question(101))
    assert told.faults == set()
    assert told.report.counts[TAKEN_BACK] == 1


def test_an_update_without_a_reply() -> None:
    assert walked().press(5.0, 102).faults == {"updates without a reply"}


def test_an_update_taken_while_redis_was_away() -> None:
    told = Told().note(1.0, "Redis away", until=4.0).press(2.0, 0, taken=3.0).say(5.0, question(100))
    assert told.faults == {"updates taken while Redis was away"}
    later = Told().note(1.0, "Redis away", until=4.0).press(2.0, 0, taken=4.2).say(5.0, question(100))
    assert later.faults == set()
