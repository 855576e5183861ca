"""What happened in a run, as the world around the service saw it: one list, in the order of time."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Note:
    """Something happened. ``chat`` is empty where it concerns none."""

    at: float
    kind: str
    chat: str
    data: dict[str, Any]


@dataclass
class Journal:
    """The notes of a run; times are seconds since it began."""

    begun: float = field(default_factory=time.monotonic)
    notes: list[Note] = field(default_factory=list[Note])
    counts: Counter[str] = field(default_factory=Counter[str])

    def now(self) -> float:
        return time.monotonic() - self.begun

    def note(self, kind: str, chat: str = "", **data: Any) -> Note:
        made = Note(self.now(), kind, chat, data)
        self.notes.append(made)
        self.counts[kind] += 1
        return made

    def of(self, *kinds: str) -> Iterator[Note]:
        return (note for note in self.notes if note.kind in kinds)
