"""How the servers have been lately: where one was away, nobody could give a sign of life, or note a delivery."""

from collections.abc import Collection


class Health:
    """What is known of the servers that hold keys, by the keys' slots: after a failover another server has them."""

    def __init__(self) -> None:
        self._ailing: dict[int, int] = {}
        self._unwell: dict[int, float] = {}

    def ailing(self, slots: Collection[int]) -> None:
        """What was asked of the server of ``slots`` was lost; `recovered` says how it ended."""
        for slot in slots:
            self._ailing[slot] = self._ailing.get(slot, 0) + 1

    def recovered(self, slots: Collection[int]) -> None:
        """It is known now how it ended."""
        for slot in slots:
            self._ailing[slot] -= 1

    def unwell(self, slots: Collection[int], now: float) -> None:
        """The server of ``slots`` did not answer, or not in time, until ``now`` (seconds of a monotonic clock)."""
        for slot in slots:
            self._unwell[slot] = now

    def poorly(self, slot: int, since: float) -> bool:
        """Whether its server is not well, or was not at some time after ``since``."""
        return self._ailing.get(slot, 0) > 0 or self._unwell.get(slot, -1.0) > since
