"""Message by message: a channel with limits and an outage, chats with several messages each, the outbox's rules between.

`bench.scale.model` counts what waits; here each message has its chat and its number, so that order can be seen: the next
message of a chat goes out only after the one before, a chat is spoken to once a second after a burst, the channel takes
so many messages a second, and what could not be sent is tried again, then left to the rounds of recovery.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

from bot.handlers.telegram.pace import BURST, PER_CHAT
from bot.runtime.deliver import IDLE, TRIES
from bot.runtime.sweep import RECOVER_EVERY

PAUSES: Final = tuple(2.0**attempt for attempt in range(TRIES - 1))
"""Between the tries of one delivery, as `bot.runtime.deliver` makes them."""


_CHANNEL: Final = -1
"""In place of a chat: the channel takes another message."""


class Message(msgspec.Struct, frozen=True):
    """Said in ``chat`` at ``at``, the ``number``-th there."""

    at: float
    chat: int
    number: int


class Sent(msgspec.Struct, frozen=True):
    """Delivered at ``at``."""

    at: float
    message: Message


class Line(msgspec.Struct, frozen=True):
    """A channel: messages it takes a second, and when it is away."""

    per_second: float
    away: tuple[float, float] = (0.0, 0.0)

    def is_away(self, at: float) -> bool:
        return self.away[0] <= at < self.away[1]


class Outcome(msgspec.Struct, frozen=True):
    """All deliveries in their sequence, and how many tries failed."""

    sent: tuple[Sent, ...]
    failed: int


def run(messages: Sequence[Message], line: Line) -> Outcome:
    """Deliver ``messages``, which are sorted by the time they were said."""
    return _Run(messages, line).through()


class _Run:
    """The state of one run: who waits for what, until when."""

    def __init__(self, messages: Sequence[Message], line: Line) -> None:
        self._line = line
        self._queues: dict[int, deque[Message]] = {}
        self._tries: dict[int, int] = {}
        self._whole: dict[int, float] = {}
        self._standing: deque[int] = deque()
        """Chats whose next message only waits for the channel's limit."""
        self._free = 0.0
        self._called = False
        self._turn = len(messages)
        self._arrivals = deque(messages)
        self._events = [(message.at, number, message.chat) for number, message in enumerate(messages)]
        self._said = len(messages)
        self._sent: list[Sent] = []
        self._failed = 0

    def through(self) -> Outcome:
        heapq.heapify(self._events)
        while self._events:
            now, number, chat = heapq.heappop(self._events)
            if number < self._said:
                waiting = self._queues.setdefault(chat, deque())
                waiting.append(self._arrivals.popleft())
                if len(waiting) == 1:  # else in its turn, after those before it
                    self._stand(now, chat)
            elif chat == _CHANNEL:
                self._called = False
                self._try(now, self._standing.popleft())
                self._call(now)
            else:
                self._stand(now, chat)
        return Outcome(tuple(self._sent), self._failed)

    def _at(self, at: float, what: int) -> None:
        self._turn += 1
        heapq.heappush(self._events, (at, self._turn, what))

    def _stand(self, now: float, chat: int) -> None:
        self._standing.append(chat)
        self._call(now)

    def _call(self, now: float) -> None:
        """Have the channel take the next one as soon as it may."""
        if self._standing and not self._called:
            self._called = True
            self._at(max(now, self._free), _CHANNEL)

    def _try(self, now: float, chat: int) -> None:
        if self._line.is_away(now):
            self._failed += 1
            self._tries[chat] = self._tries.get(chat, 0) + 1
            self._at(now + _pause(self._tries[chat]), chat)
            return
        allowed = self._whole.get(chat, 0.0) - (BURST - 1) * PER_CHAT
        if allowed > now:
            self._at(allowed, chat)
            return
        self._free = now + 1.0 / self._line.per_second
        self._whole[chat] = max(now, self._whole.get(chat, 0.0)) + PER_CHAT
        self._tries.pop(chat, None)
        queue = self._queues[chat]
        self._sent.append(Sent(now, queue.popleft()))
        if queue:
            self._stand(now, chat)
        else:
            del self._queues[chat]


def _pause(failures: int) -> float:
    """After so many failures in a row: the deliverer's own pauses, then until the recoverer finds it."""
    place = failures % TRIES
    return PAUSES[place - 1] if place else IDLE + RECOVER_EVERY


def disordered(sent: Sequence[Sent]) -> int:
    """Messages that went out before an earlier one of their chat, or twice."""
    latest: dict[int, int] = {}
    wrong = 0
    for each in sent:
        wrong += each.message.number != latest.get(each.message.chat, 0) + 1
        latest[each.message.chat] = each.message.number
    return wrong
