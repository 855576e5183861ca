"""What every counterpart of a gateway shares: a bank that answers as the pressed button says, and its faults.

A counterpart's hosted page takes, by POST to the page's own address, the form fields ``button`` and ``knob``
and answers 303 with where the browser goes next, as the sandbox gateway's page does. So one script drives
all of them.

Buttons: ``approved``, ``funds`` and ``pin`` (refused), ``cancel``, ``timeout`` (captured, but the bank keeps
silent for a minute), ``pending`` (silent for good). Knobs: ``duplicate`` (the notification twice),
``missing`` (none), ``late`` (after two minutes), ``reordered`` (a refusal is notified after the capture),
``amount``, ``currency``, ``track``, ``merchant`` (the enquiry reports another one), ``again`` (a button of a
page that is settled already).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.types import ASGIApp

from bot.ports import Clock
from bot.services.payments import Payments
from bot.tasks import Tasks

BUTTONS: Final = ("approved", "funds", "pin", "cancel", "timeout", "pending")
KNOBS: Final = (
    "",
    "duplicate",
    "missing",
    "late",
    "reordered",
    "amount",
    "currency",
    "track",
    "merchant",
    "again",
)

SILENCE: Final = 60
"""Seconds until the bank of button ``timeout`` is heard of."""

LATE: Final = 120
"""Seconds a ``late`` notification is late."""

_STATES: Final = {
    "approved": ("captured", "00"),
    "funds": ("refused", "51"),
    "pin": ("refused", "55"),
    "cancel": ("cancelled", ""),
    "timeout": ("silent", ""),
    "pending": ("silent", ""),
}


@dataclass
class Kept:
    """One payment as the bank keeps it.

    Attributes:
        track: the merchant's number.
        fils: the amount, in fils.
        created: epoch seconds.
        state: ``open``, ``captured``, ``refused``, ``cancelled``, ``silent``.
        code: the bank's answer code (51: insufficient funds, 55: wrong PIN).
        knob: the fault chosen on the page.
        speaks: when a silent bank is heard of, 0 for never.
        refunded: fils given back, by key (or by a number of the call, where the gateway has no keys).
        more: what else the gateway at hand keeps.
    """

    track: str
    fils: int
    created: int
    state: str = "open"
    code: str = ""
    knob: str = ""
    speaks: int = 0
    refunded: dict[str, int] = field(default_factory=dict[str, int])
    more: dict[str, Any] = field(default_factory=dict[str, Any])


class Bank:
    """The bank behind a counterpart; ``clock`` is the test's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks = Tasks()

    def press(self, kept: Kept, button: str, knob: str) -> bool:
        """The button pressed; False for a page that is settled and stays as it is."""
        if kept.state != "open" and knob != "again":
            return False
        kept.state, kept.code = _STATES[button]
        kept.knob = knob
        kept.speaks = self._clock.now() + SILENCE if button == "timeout" else 0
        return True

    def state(self, kept: Kept) -> str:
        """How the payment stands now."""
        if kept.state == "silent" and kept.speaks and self._clock.now() >= kept.speaks:
            return "captured"
        return kept.state

    async def tell(self, kept: Kept, send: Callable[[str], Awaitable[None]]) -> None:
        """Notify as the knob says; ``send`` takes the state to be told of and does it once."""
        now = self.state(kept)
        if kept.knob == "late":
            self._tasks.spawn(self._later(send, now), "late notification")
        elif kept.knob == "reordered":
            await send(now)
            await send("refused")
        elif kept.knob != "missing":
            for _ in range(2 if kept.knob == "duplicate" else 1):
                await send(now)

    async def _later(self, send: Callable[[str], Awaitable[None]], state: str) -> None:
        await self._clock.sleep(LATE)
        await send(state)

    async def close(self) -> None:
        """Drop what is still to be notified."""
        await self._tasks.close()


@dataclass
class Counterpart:
    """A counterpart with our client toward it.

    Attributes:
        app: to be mounted below the path of the address it was made with.
        payments: our client, configured for it; closed by `close`.
        api: beginnings of the paths (below the mount) that our server calls, so that a test can cut them.
        kept: the payments by track id.
        close: releases everything.
    """

    app: ASGIApp
    payments: Payments
    api: tuple[str, ...]
    kept: dict[str, Kept]
    close: Callable[[], Awaitable[None]]
