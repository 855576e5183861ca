"""How the sandbox gateway gives money back: in parts or whole, once for each key."""

import re
from typing import Final

import msgspec

SILENCE: Final = 60
"""Seconds until the bank of button ``timeout`` is heard of, or a refund under the knob ``refund_silent``."""

REFUND_KNOBS: Final = ("refund_refused", "refund_silent")

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,5})\.([0-9]{3})", re.ASCII)


class Returned(msgspec.Struct):
    """Money given back under one key.

    Attributes:
        amount: three decimals.
        speaks: when the gateway answers about it (epoch seconds).
    """

    amount: str
    reference: str
    speaks: int


def fils(amount: str) -> int:
    """``45.000`` as ``45000``; 0 for what is no amount."""
    match = _AMOUNT.fullmatch(amount)
    return int(match[1]) * 1000 + int(match[2]) if match else 0


def may_return(captured: str, returned: dict[str, Returned], wanted: str) -> bool:
    """Whether ``wanted`` is left of ``captured``."""
    return 0 < fils(wanted) <= fils(captured) - sum(fils(each.amount) for each in returned.values())


def all_returned(captured: str, returned: dict[str, Returned]) -> bool:
    """Whether nothing is left of ``captured``."""
    return fils(captured) <= sum(fils(each.amount) for each in returned.values())
