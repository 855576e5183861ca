"""Ten minutes without the channel, message by message: is anything lost, doubled or out of order, and when is it over?"""

from typing import Final

import msgspec

from bench.scale.order import Line, Message, disordered, run

CHATS: Final = 20_000
EACH: Final = 4
SECONDS: Final = 1200
AWAY: Final = (300.0, 900.0)
PER_SECOND: Final = 120.0


class Ordered(msgspec.Struct, frozen=True):
    """What became of the messages; ``recovered`` is seconds after the channel was back until nothing waited."""

    messages: int
    sent: int
    failed: int
    disordered: int
    recovered: float


def messages(chats: int, each: int, seconds: int) -> list[Message]:
    """``each`` messages in each of ``chats``, spread over ``seconds``; a chat's come three seconds apart."""
    said = [
        Message(chat * seconds / chats + 3.0 * number, chat, number + 1)
        for chat in range(chats)
        for number in range(each)
    ]
    return sorted(said, key=lambda message: (message.at, message.chat, message.number))


def ordered(chats: int = CHATS, per_second: float = PER_SECOND) -> Ordered:
    """Let the channel be away for ten of twenty minutes."""
    said = messages(chats, EACH, SECONDS)
    outcome = run(said, Line(per_second, AWAY))
    waited = [each.at for each in outcome.sent if each.at - each.message.at > 1.0]
    last = max(waited, default=AWAY[1])
    return Ordered(len(said), len(outcome.sent), outcome.failed, disordered(outcome.sent), last - AWAY[1])


def ordered_line(found: Ordered) -> str:
    """In words."""
    return (
        f"\n{found.messages:,} messages in {CHATS:,} chats, the channel away for ten minutes: {found.sent:,} sent,"
        f" {found.failed:,} tries in vain, {found.disordered} out of order, nothing late {found.recovered:,.0f} s"
        " after it was back"
    )
