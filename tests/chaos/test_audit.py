"""The auditor on journals made by hand: what it must notice, and what it must not take for a fault."""

from pathlib import Path
from typing import Any

from tests.chaos.evidence import Evidence, Report
from tests.chaos.journal import Journal, Note
from tests.chaos.mail import Button, Message
from tests.chaos.replies import (
    DIED,
    FAILED_OVER,
    FORGOT,
    MUST_NOT,
    POOR,
    SHOWN_AGAIN,
    SLIPS,
    TAKEN_BACK,
    TWICE,
    WORKING,
    replies,
)

CHAT = "700000001"


def question(number: int, text: str = "Which?", ref: str = "") -> Message:
    """A question of the turn ``number``."""
    token = f"violations/owed/pay/{_base36(number)}"
    return Message(ref or f"m{number}", text, (Button("Pay", token),))


def late(number: int) -> Message:
    """What is said to a press on an earlier question than ``number``, which is the current one."""
    return question(number, f"{SHOWN_AGAIN}. Which?", f"late{number}")


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

    def settle(self, at: float, ref: str) -> "Told":
        return self.note(at, "settled", CHAT, message=Message(ref, "Which?\n✓ Pay"))

    def press(self, at: float, asked: int, taken: float = 0.0, button: str = "pay") -> "Told":
        told = {
            "id": f"{at}",
            "asked": asked,
            "button": button,
            "answered": True,
            "taken": taken or at + 0.1,
        }
        return self.note(at, "update", CHAT, **told)

    @property
    def evidence(self) -> Evidence:
        return Evidence(
            journal=self.journal,
            book={},
            orders=[],
            items=[],
            attempts=[],
            outbox=[],
            sessions=0,
            aside=0,
            logs={},
            errors={},
            ledger="",
        )

    @property
    def report(self) -> Report:
        found = Report()
        replies(self.evidence, found)
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


def test_a_reply_that_arrives_after_the_death_of_its_process() -> None:
    told = walked().note(0.9, "kill", who="p0.1").say(11.0, question(102, ref="m9"), "p1.1")
    assert told.faults == set()
    assert told.report.counts[DIED] == 1
    told.say(11.1, question(102, ref="m9"), "p1.1")  # once
    assert told.faults == {MUST_NOT[0]}


def test_a_death_long_after_explains_nothing() -> None:
    told = walked().note(9.0, "kill", who="p0.1").say(18.0, question(102, ref="m9"), "p1.1")
    assert told.faults == {MUST_NOT[0]}


def test_while_redis_is_away_nothing_can_be_noted() -> None:
    told = walked().note(2.5, "network", what="cut").note(8.0, "network well")
    told.note(9.0, "kill", who="p0.1").say(18.0, question(102, ref="m9"), "p1.1")
    assert told.faults == set()
    assert told.report.counts[POOR] == 1  # told apart from who died at once


def test_a_note_lost_with_a_primary() -> None:
    told = walked().note(3.0, "primary killed").note(7.0, "failover", seconds=4.0)
    told.say(14.0, question(102, ref="m9"), "p0.1")
    assert told.faults == set()
    assert told.report.counts[FORGOT] == 1


def test_what_was_said_while_a_primary_was_dead_was_not_noted_there() -> None:
    told = walked().note(1.0, "primary killed").note(7.0, "failover", seconds=4.0)
    told.say(14.0, question(102, ref="m9"), "p1.1")
    assert told.faults == set()
    assert (told.report.counts[FORGOT], told.report.counts[FAILED_OVER]) == (0, 1)


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


def test_late_presses_are_told_long_after() -> None:
    """What was said to the first one waits with all that was said before it for a process that died."""
    told = Told().say(1.0, question(100)).press(2.0, 100).press(3.0, 100)
    told.edit(12.0, "m100").say(12.0, question(102)).say(12.1, question(103))  # of itself: a link ran out
    told.say(12.2, late(103)).press(13.0, 102).say(13.2, late(103))
    assert told.faults == set()
    assert told.say(14.3, late(103)).faults == {MUST_NOT[0]}


def test_whoever_led_on_late_was_not_told_before() -> None:
    """The first press is told that it is late, while the question is looked up anew of itself; the second leads on."""
    told = Told().say(1.0, question(100)).press(2.0, 100).say(2.2, late(0)).press(5.0, 100)
    assert told.edit(5.2, "m100").say(5.3, question(102)).faults == set()
    assert told.say(6.0, late(102)).faults == {TWICE}


def test_an_answer_said_again_is_no_answer_to_the_next_press() -> None:
    told = walked().press(3.0, 100).say(3.3, late(102)).press(10.0, 100).say(11.0, late(102), "p1.1")
    told.say(12.0, question(104)).say(12.3, late(104), "p1.1")  # two presses, told three times
    assert told.faults == {TWICE}
    told.journal.notes.insert(-5, Note(4.0, "kill", "", {"who": "p0.1"}))
    assert told.faults == set()
    assert told.report.counts[DIED] == 1


def test_a_press_on_a_younger_question_is_not_told_an_older_one() -> None:
    """It would be missing where it was told, and what was said again there would count as a fault."""
    told = walked().press(10.0, 100).say(12.0, late(102)).note(12.1, "kill", who="p0.1")
    told.press(13.0, 102).edit(13.5, "m102", "p1.1").say(14.0, question(104), "p1.1").press(15.0, 104)
    told.say(16.0, late(102), "p1.1").press(17.0, 104).press(18.0, 104)
    told.edit(19.0, "m104", "p1.1").say(20.0, question(106), "p1.1").say(21.0, late(106), "p1.1")
    told.note(21.1, "kill", who="p1.1").say(30.0, late(106), "p2.1").say(30.5, late(106), "p2.1")
    assert told.faults == set()
    assert told.say(31.0, late(106), "p2.1").faults == {MUST_NOT[0]}


def wait(ref: str) -> Message:
    """What is said while an effect is under way."""
    return Message(ref, f"{WORKING} I will write.")


def test_whoever_writes_twice_while_it_takes_long_is_told_twice() -> None:
    told = walked().press(10.0, 102, button="ask").press(30.0, 0, button="").press(50.0, 0, button="")
    told.say(55.0, wait("m8"), "p1.1").say(55.1, wait("m9"), "p1.1")
    assert told.faults == set()
    assert told.say(55.2, wait("m10"), "p1.1").faults == {MUST_NOT[0]}


def test_whoever_wrote_once_is_not_told_twice() -> None:
    told = walked().press(10.0, 102, button="ask").press(30.0, 0, button="")
    assert told.say(31.0, wait("m8")).faults == set()
    assert told.say(31.1, wait("m9")).faults == {MUST_NOT[0]}


def test_what_was_written_before_the_last_question_counts_no_more() -> None:
    told = walked().press(10.0, 102).press(11.0, 0, button="").press(12.0, 0, button="")
    told.edit(12.5, "m102").say(13.0, question(104)).press(14.0, 104, button="ask").press(15.0, 0, button="")
    assert told.say(16.0, wait("m8")).say(16.1, wait("m9")).faults == {MUST_NOT[0]}


def greeting(number: int) -> Message:
    """What ``/start`` is answered with."""
    return Message(f"m{number}", "Hello.", (Button("Fines", f"home/hello/fines/{_base36(number)}"),))


def test_a_greeting_does_not_answer_what_was_written_in_the_same_breath() -> None:
    told = Told().press(1.0, 0, button="").press(1.1, 0, button="").say(2.0, greeting(100))
    told.press(3.0, 0, button="").press(4.0, 0, button="").say(9.0, wait("m8"), "p1.1")
    assert told.say(9.1, wait("m9"), "p1.1").faults == set()
    assert told.say(9.2, wait("m10"), "p1.1").faults == {MUST_NOT[0]}


def test_a_greeting_answers_the_only_thing_that_was_written() -> None:
    told = Told().press(1.0, 0, button="").say(2.0, greeting(100)).press(3.0, 100, button="fines")
    told.press(4.0, 0, button="").say(9.0, wait("m8"), "p1.1")
    assert told.say(9.1, wait("m9"), "p1.1").faults == {MUST_NOT[0]}


def test_a_press_that_leads_on_twice() -> None:
    told = Told().say(1.0, question(100)).note(1.5, "kill", who="p0.1")
    told.say(9.5, question(100, ref="m101")).press(10.0, 100)
    told.edit(10.2, "m100").edit(10.4, "m101").say(10.5, question(102))
    assert told.faults == {TWICE}
    assert told.press(10.1, 100).say(10.6, question(103)).faults == set()


def test_an_older_question_after_a_younger_one() -> None:
    assert walked().press(3.0, 102).say(3.3, question(101)).faults == {"replies out of order"}


def test_a_turn_taken_back_by_a_failover() -> None:
    told = walked().note(3.0, "primary killed").note(7.0, "failover", seconds=4.0)
    told.press(9.0, 102).say(9.3, question(101))
    assert told.faults == set()
    assert told.report.counts[TAKEN_BACK] == 1


def test_an_update_without_a_reply() -> None:
    assert walked().press(5.0, 102).faults == {"updates without a reply"}


def test_the_same_button_again_within_five_seconds() -> None:
    told = walked().press(7.0, 100)
    assert told.faults == set()
    assert told.report.counts[SLIPS] == 1


def test_the_same_button_again_on_a_page() -> None:
    """There a message is not changed: the page is told that its question was answered."""
    led = Told().say(1.0, question(100)).press(2.0, 100).settle(2.2, "m100").say(2.3, question(102))
    told = led.press(6.0, 100)
    assert told.faults == set()
    assert told.report.counts[SLIPS] == 1
    unanswered = {"updates without a reply"}
    assert (
        led.press(6.1, 102, button="other").settle(6.2, "m102").faults == unanswered
    )  # alone it is no answer


def test_the_same_button_again_is_no_slip_later_or_unanswered_or_where_it_is_another() -> None:
    unanswered = {"updates without a reply"}
    assert walked().press(9.0, 100).faults == unanswered
    assert walked().press(4.0, 100, button="wait").faults == unanswered
    assert (
        Told().say(1.0, question(100)).press(2.0, 100).edit(2.2, "m100").press(3.0, 100).faults == unanswered
    )


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    kept = walked().press(9.0, 100).evidence
    kept.keep(tmp_path)
    read = Evidence.read(tmp_path)
    assert (read.journal.notes, read.journal.counts) == (kept.journal.notes, kept.journal.counts)
    assert vars(read) | {"journal": None} == vars(kept) | {"journal": None}


def test_an_update_taken_while_redis_was_away() -> None:
    told = Told().note(1.0, "Redis away", until=4.0).press(2.0, 0, taken=3.0).say(5.0, question(100))
    assert told.faults == {"updates taken while Redis was away"}
    later = Told().note(1.0, "Redis away", until=4.0).press(2.0, 0, taken=4.2).say(5.0, question(100))
    assert later.faults == set()
