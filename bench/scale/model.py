"""What a day of so many residents does to the service: how much waits where, second by second, and how long it takes to go.

Four places where something may wait: at the channel (a webhook that was refused is brought again), in the outbox (said,
not delivered), in the ledger (paid, not recorded at the registry), and nowhere else: that nothing is lost in between is
checked in every second. Rates come from measurements of this project, shares and habits are assumptions and have names.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

HOUR: Final = 3600
DAY: Final = 24 * HOUR

BY_HOUR: Final = (1, 1, 0.5, 0.5, 0.5, 1, 3, 6, 9, 10, 9, 8, 7, 5, 4, 4, 5, 5, 5, 5, 4, 3, 2, 1.5)
"""Assumed: how a day's visits fall on its hours; mornings are busiest, as at a counter."""


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """Assumptions about people.

    Attributes:
        residents: how many may write.
        visits_a_month: of one resident.
        turns: of one visit: greeting, service, number, list, choice, payment, receipt.
        messages: said in one turn; measured with Telegram, where an answered question is edited.
        paying: share of visits that end in a payment.
        shares: channels by their share of visits.
        rush: how many times as many visits as on other days: 3 around the day salaries are paid.
        announced: share of all residents who come because of an announcement.
        announced_at: second of the day.
        spread: seconds in which two thirds of them come.
    """

    residents: int
    visits_a_month: float = 2.0
    turns: float = 10.0
    messages: float = 1.6
    paying: float = 0.1
    shares: Mapping[str, float] = msgspec.field(
        default_factory=lambda: {"Telegram": 0.5, "WhatsApp": 0.3, "web": 0.2}
    )
    rush: float = 1.0
    announced: float = 0.0
    announced_at: int = 10 * HOUR
    spread: float = HOUR / 3.0

    def visits(self, second: int) -> float:
        """Visits that begin in a second of the day, on average."""
        usual = self.residents * self.visits_a_month / 30 * self.rush
        found = usual * BY_HOUR[second // HOUR % 24] / sum(BY_HOUR) / HOUR
        since = second - self.announced_at
        if self.announced and since >= 0:
            # Half within minutes, a long tail: so does news spread that people pass on.
            found += self.residents * self.announced * _decay(since, self.spread)
        return found

    def turns_a_second(self, second: int) -> float:
        """Turns in a second of the day, on average."""
        return self.turns * self.visits(second)


def _decay(since: int, spread: float) -> float:
    """Share of those who come at all that comes in the second ``since`` after the news."""
    ratio: float = 2.718281828459045 ** (-1.0 / spread)
    return ratio**since * (1.0 - ratio)


class Plant(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to serve them.

    Attributes:
        turns_a_second: of all processes together.
        limits: messages a second that each channel takes; one without an entry takes all.
        posts_a_second: payments that are recorded at the registry, of all processes together.
    """

    turns_a_second: float
    limits: Mapping[str, float]
    posts_a_second: float


class Outage(msgspec.Struct, frozen=True):
    """``what`` is away: ``redis``, ``registry``, ``ledger``, or a channel's name."""

    what: str
    begins: int
    seconds: int

    def holds(self, second: int) -> bool:
        return self.begins <= second < self.begins + self.seconds


class Second(msgspec.Struct, frozen=True):
    """How things stand at the end of a second; counts of turns, of messages by channel, and of payments."""

    at: int
    arrived: float
    refused: float
    outbox: dict[str, float]
    unposted: float


class Totals(msgspec.Struct):
    """What has happened so far."""

    arrived: float = 0.0
    done: float = 0.0
    said: float = 0.0
    sent: float = 0.0
    paid: float = 0.0
    posted: float = 0.0


def simulate(
    habits: Habits, plant: Plant, outages: tuple[Outage, ...], begin: int, seconds: int
) -> Iterator[Second]:
    """Second by second from ``begin`` (of the day) on.

    Raises:
        AssertionError: something was lost on the way.
    """
    totals = Totals()
    refused, unposted = 0.0, 0.0
    outbox = dict.fromkeys(habits.shares, 0.0)
    for second in range(begin, begin + seconds):
        away = {outage.what for outage in outages if outage.holds(second)}
        arrived = habits.turns_a_second(second)
        refused += arrived
        done = 0.0 if "redis" in away else min(refused, plant.turns_a_second)
        refused -= done
        totals.arrived += arrived
        totals.done += done
        for channel, share in habits.shares.items():
            outbox[channel] += done * habits.messages * share
            limit = plant.limits.get(channel, outbox[channel])
            # While Redis is away nothing is taken over or noted; what is in hand is sent, and noted late.
            sent = 0.0 if channel in away else min(outbox[channel], limit)
            outbox[channel] -= sent
            totals.said += done * habits.messages * share
            totals.sent += sent
        # A payment is as many turns as a visit has; with the ledger away it is the gateway's redelivery that waits.
        paid = done / habits.turns * habits.paying
        posted = 0.0 if away & {"registry", "ledger"} else min(unposted + paid, plant.posts_a_second)
        unposted += paid - posted
        totals.paid += paid
        totals.posted += posted
        _balanced(totals, refused, outbox, unposted)
        yield Second(second, arrived, refused, dict(outbox), unposted)


def _balanced(totals: Totals, refused: float, outbox: Mapping[str, float], unposted: float) -> None:
    for came, went, waits in (
        (totals.arrived, totals.done, refused),
        (totals.said, totals.sent, sum(outbox.values())),
        (totals.paid, totals.posted, unposted),
    ):
        if abs(came - went - waits) > 1e-6 * max(1.0, came):
            raise AssertionError(f"{came} came, {went} went, {waits} wait")


def drained_after(course: list[Second], channel: str, since: int, fewest: float) -> int | None:
    """Seconds after ``since`` until no more than ``fewest`` messages of ``channel`` wait; None for not at all."""
    for moment in course:
        if moment.at >= since and moment.outbox[channel] <= fewest:
            return moment.at - since
    return None
