"""What a run leaves to look at, and what is said of it."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.chaos.journal import Journal, Note
from tests.chaos.mail import Button, Message

_FILE: Final = "evidence.json"


@dataclass(frozen=True)
class Evidence:
    """All that is known at the end.

    Attributes:
        journal: what walkers, Bot API, faults noted.
        book: what registry and gateway did.
        orders, items, attempts: the ledger's rows.
        outbox: entries left in Redis, a line each (`tests.chaos.outbox`).
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
    outbox: list[str]
    sessions: int
    aside: int
    logs: dict[str, list[dict[str, Any]]]
    errors: dict[str, int]
    ledger: str
    planned: int = 0

    def keep(self, folder: Path) -> None:
        """Write all of it into ``folder``, to be read by `read`."""
        told = {name: value for name, value in vars(self).items() if name != "journal"}
        told["notes"] = [(note.at, note.kind, note.chat, _plain(note.data)) for note in self.journal.notes]
        # Of the ledger's rows some are sealed: what is not JSON is not compared.
        (folder / _FILE).write_text(json.dumps(told, ensure_ascii=False, default=repr) + "\n", "utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Evidence":
        """What a run kept in ``folder``."""
        told: dict[str, Any] = json.loads((folder / _FILE).read_text("utf-8"))
        notes = [Note(at, kind, chat, _whole(data)) for at, kind, chat, data in told.pop("notes")]
        return cls(Journal(notes=notes, counts=Counter(note.kind for note in notes)), **told)


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return data | ({"message": asdict(data["message"])} if "message" in data else {})


def _whole(data: dict[str, Any]) -> dict[str, Any]:
    if (told := data.get("message")) is None:
        return data
    buttons = tuple(Button(**each) for each in told.pop("buttons"))
    return data | {"message": Message(**told, buttons=buttons)}


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
