"""What a run leaves to look at, and what is said of it."""

from dataclasses import asdict, dataclass, field
from typing import Any

from tests.chaos.journal import Journal


@dataclass(frozen=True)
class Evidence:
    """All that is known at the end.

    Attributes:
        journal: what walkers, Bot API, faults noted.
        book: what registry and gateway did.
        orders, items, attempts: the ledger's rows.
        outbox: entries left in Redis.
        sessions, aside: sessions in Redis, and those put aside as unreadable.
        logs: the web chats' logs, read anew.
        errors: error lines of the service's logs.
        ledger: which database.
        planned: walks that were to be.
    """

    journal: Journal
    book: dict[str, Any]
    orders: list[dict[str, Any]]
    items: list[dict[str, Any]]
    attempts: list[dict[str, Any]]
    outbox: int
    sessions: int
    aside: int
    logs: dict[str, list[dict[str, Any]]]
    errors: dict[str, int]
    ledger: str
    planned: int = 0


@dataclass
class Report:
    """What it comes to. Everything in ``must_be_nothing`` is a fault of the service."""

    about: dict[str, Any] = field(default_factory=dict[str, Any])
    troubles: dict[str, int] = field(default_factory=dict[str, int])
    ends: dict[str, int] = field(default_factory=dict[str, int])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    must_be_nothing: dict[str, int] = field(default_factory=dict[str, int])
    findings: list[str] = field(default_factory=list[str])
    errors: dict[str, int] = field(default_factory=dict[str, int])

    def fault(self, what: str, *found: str) -> None:
        """Count ``found`` under ``what``, which must be nothing."""
        self.must_be_nothing[what] = self.must_be_nothing.get(what, 0) + len(found)
        self.findings += [f"{what}: {each}" for each in found]

    @property
    def good(self) -> bool:
        return not any(self.must_be_nothing.values())

    def json(self) -> dict[str, Any]:
        return asdict(self)
