"""What the family-join check asks: only which day it is. Everything else follows from the answers."""

import msgspec

from bot.ports import Effect


class AskDay(Effect, frozen=True, tag="ask_day"):
    """Which day it is in Kuwait: conditions and fees hold from a day on. Result: `Today`."""


class Today(msgspec.Struct, frozen=True):
    """``on``: ISO 8601."""

    on: str
