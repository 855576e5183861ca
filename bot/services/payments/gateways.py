"""The gateways at hand: one takes new payments, the others are still asked about theirs.

An attempt belongs to the gateway it was begun with. When an operator moves from one gateway to another,
what is under way at the old one must still be enquired about, refunded and heard of.
"""

from collections.abc import Mapping

from bot.errors import Unavailable
from bot.services.payments import Payments


class Gateways:
    """The configured gateways by name.

    Args:
        current: takes new payments.
        others: configured besides it.
    """

    def __init__(self, current: Payments, *others: Payments) -> None:
        self.current = current
        self.all: Mapping[str, Payments] = {each.name: each for each in (*others, current)}

    def of(self, name: str) -> Payments:
        """The gateway ``name``.

        Raises:
            Unavailable: it is not configured any more.
        """
        if (found := self.all.get(name)) is None:
            raise Unavailable("payments", "gateway not configured")
        return found

    async def close(self) -> None:
        """Close all connections."""
        for each in self.all.values():
            await each.close()
