"""How fast we may speak on Telegram.

Telegram's figures (core.telegram.org/bots/faq, "My bot is hitting limits"): no more than 30 messages a
second overall, about one a second in one chat with short bursts tolerated. Beyond that it answers 429
with the seconds to wait.

Why not a library: aiolimiter reads the event loop's own clock and sleeps by itself, so a test would have
to wait; pyrate-limiter takes a clock but sleeps by itself too; and both want one limiter object for each
chat, kept for ever. What is needed is one number a chat (the generic cell rate algorithm) and the times
of the last thirty messages.
"""

from collections import OrderedDict, deque
from typing import Final

from bot.errors import RetryLater
from bot.ports import Clock

PER_SECOND: Final = 30
"""New messages and edits a second, overall (Telegram's bot FAQ). Paid broadcasts allow up to 1000."""

PER_CHAT = 1.0
"""Seconds between new messages in one chat, in the long run (same source)."""

BURST: Final = 3
"""New messages one chat may get at once. Telegram names no figure for its "short bursts"; this is ours."""

PATIENCE: Final = 5.0
"""Seconds worth waiting here for a turn. A longer wait is handed to the outbox as `RetryLater`."""


class Pacer:
    """Makes each call to Telegram wait for its turn.

    Args:
        clock: the time and the sleep.
        per_second: messages and edits a second, overall.
    """

    def __init__(self, clock: Clock, per_second: int = PER_SECOND) -> None:
        self._clock = clock
        self._latest: deque[float] = deque(maxlen=per_second)
        # For each chat that spoke lately: when its allowance will be whole again. A chat that is not here
        # has the whole allowance, so the map holds only the chats of the last seconds.
        self._whole: OrderedDict[str, float] = OrderedDict()
        self._paused: dict[str, float] = {}
        self._all_paused = 0.0

    async def send(self, chat: str) -> None:
        """Return when ``chat`` may get a new message.

        Raises:
            RetryLater: Telegram asked to wait, or the queue is longer than `PATIENCE`.
        """
        self.check(chat)
        now = self._clock.monotonic()
        self._forget(now)
        whole = max(now, self._whole.get(chat, 0.0))
        wait = whole - now - (BURST - 1) * PER_CHAT
        if wait > PATIENCE:
            raise RetryLater(wait)
        self._whole[chat] = whole + PER_CHAT
        self._whole.move_to_end(chat)
        if wait > 0:
            await self._clock.sleep(wait)
            self.check(chat)
            now = self._clock.monotonic()
        await self._overall(chat, now)

    async def change(self, chat: str) -> None:
        """Return when a message of ``chat`` may be changed. Edits count overall only: see `send`.

        Raises:
            RetryLater: as for `send`.
        """
        self.check(chat)
        await self._overall(chat, self._clock.monotonic())

    async def _overall(self, chat: str, now: float) -> None:
        full = len(self._latest) == self._latest.maxlen
        turn = max(now, self._latest[0] + 1.0) if full else now
        if turn - now > PATIENCE:
            raise RetryLater(turn - now)
        self._latest.append(turn)
        if turn > now:
            await self._clock.sleep(turn - now)
            self.check(chat)  # Telegram may have said 429 to another call meanwhile

    def check(self, chat: str) -> None:
        """Do nothing, or refuse.

        Raises:
            RetryLater: Telegram asked to wait and that time is not over.
        """
        if not self._paused:  # nobody was told to wait
            return
        left = max(self._all_paused, self._paused.get(chat, 0.0)) - self._clock.monotonic()
        if left > 0:
            raise RetryLater(left)

    def told(self, chat: str, after: float) -> None:
        """Telegram answered a call for ``chat`` with 429: wait ``after`` seconds.

        Its answer does not say whether the chat or the whole bot went too fast. One chat told to wait is
        taken for its own limit, so that one impatient resident does not silence the others; a second chat
        told so while the first still waits is taken for the bot's.
        """
        now = self._clock.monotonic()
        self._paused = {name: until for name, until in self._paused.items() if until > now}
        self._paused[chat] = max(now + after, self._paused.get(chat, 0.0))
        if len(self._paused) > 1:
            self._all_paused = max(self._all_paused, now + after)

    def _forget(self, now: float) -> None:
        # Two a call: faster than chats are added, and no call pays for a sweep.
        for _ in range(2):
            if self._whole and next(iter(self._whole.values())) <= now:
                self._whole.popitem(last=False)
