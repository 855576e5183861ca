"""What the dialogs for companies and government bodies ask, and what comes back."""

from enum import StrEnum

import msgspec

from bot.dialogs.renewal import Wish
from bot.ports import Effect
from bot.residency.facts import Body
from bot.residency.verdict import Candidate


class ListBodies(Effect, frozen=True, tag="list_bodies"):
    """The companies and government bodies that whoever is signed in may act for. Result: `Bodies`."""


class Bodies(msgspec.Struct, frozen=True):
    """Bodies somebody is an authorised user of, none for most people."""

    bodies: tuple[Body, ...]


class ListWorkers(Effect, frozen=True, tag="list_workers"):
    """The body's workers whose renewal is due, those who expire first first. Result: `Workers`.

    Attributes:
        body: unified number.
        limit: at most so many.
    """

    body: str
    limit: int


class Due(msgspec.Struct, frozen=True, array_like=True):
    """One line of the list: ``expires`` is ISO 8601."""

    civil_id: str
    name: str
    expires: str


class Workers(msgspec.Struct, frozen=True):
    """Workers who are due; ``more``: the list goes on beyond the limit."""

    workers: tuple[Due, ...]
    more: bool = False


class FindWorker(Effect, frozen=True, tag="find_worker"):
    """One worker of the body, as their renewal stands. Result: `Found`."""

    body: str
    civil_id: str


class Found(msgspec.Struct, frozen=True):
    """The worker.

    Attributes:
        worker: as the renewal stands.
        passport: last day of the passport, ISO 8601.
        work_permit: last day of the work permit, ISO 8601; empty where none is needed.
    """

    worker: Candidate
    passport: str = ""
    work_permit: str = ""


class FindWorkerRefused(StrEnum):
    """Refusals that have an answer of their own."""

    UNKNOWN = "unknown"  # no worker of this body has the number


class QuoteWorkers(Effect, frozen=True, tag="quote_workers"):
    """What the wishes cost now. Result: `bot.dialogs.renewal.Quoted`; refused as `QuoteRefused`.

    Attributes:
        body: unified number.
        wishes: of workers of the body; at least one.
    """

    body: str
    wishes: tuple[Wish, ...]


class StartBatch(Effect, frozen=True, tag="start_batch"):
    """Check every worker named in a file. Result: `Batch`, at once; the checking goes on beside the chat.

    While it runs the chat is woken with ``progress`` (data: a `Batch`), at its end once with ``done``; with ``stopped``
    where the registry said nothing for hours, or whoever sent it may not act for the body any more. The same file for
    the same body on the same day gives the same batch.

    Attributes:
        body: unified number.
        file: reference of the file that was sent (`bot.model.Attached`).
    """

    body: str
    file: str


class ReadBatch(Effect, frozen=True, tag="read_batch"):
    """How a batch stands. Result: `Batch`.

    Attributes:
        body: unified number.
        batch: its reference.
        anew: whether to ask the registry again about everybody first; of a batch that is checked.
    """

    body: str
    batch: str
    anew: bool = False


class YearOffer(msgspec.Struct, frozen=True, array_like=True):
    """What ``years`` for every worker who may have them costs.

    Attributes:
        years: whole years.
        count: how many of the ready workers may have them.
        fils: the sum for those, their own payable fines included.
        clean: how many of them have no fines.
        clean_fils: the sum for those alone.
    """

    years: int
    count: int
    fils: int
    clean: int
    clean_fils: int

    @property
    def fined(self) -> int:
        """How many of them have fines of their own."""
        return self.count - self.clean


class Batch(msgspec.Struct, frozen=True):
    """A batch as it stands.

    Attributes:
        ref: ``B-7F3C-9A1D``.
        total: rows that name somebody.
        done: rows that are checked.
        ready: workers who can be renewed now.
        blocked: workers whom something blocks.
        unknown: numbers that are no worker's of this body, or no civil ID.
        repeated: rows that repeat an earlier one.
        offers: durations, shortest first.
        url: address of the file with a verdict for each row, empty until it is done.
        until: until when that address works (epoch seconds).
        waiting: the registry does not answer just now, and is asked again.
    """

    ref: str
    total: int
    done: int = 0
    ready: int = 0
    blocked: int = 0
    unknown: int = 0
    repeated: int = 0
    offers: tuple[YearOffer, ...] = ()
    url: str = ""
    until: int = 0
    waiting: bool = False

    @property
    def finished(self) -> bool:
        """Whether every row is checked."""
        return self.done >= self.total


class StartBatchRefused(StrEnum):
    """Refusals that have an answer of their own."""

    GONE = "gone"  # the file is not kept any more: send it again
    UNREADABLE = "unreadable"  # no CSV and no XLSX
    EMPTY = "empty"  # no column of civil IDs
    TOO_LONG = "too_long"  # more rows than a batch takes


class BatchRefused(StrEnum):
    """Refusals that have an answer of their own."""

    GONE = "gone"  # the batch is not kept any more
    NONE_LEFT = "none_left"  # nobody of it can be renewed (any more)


class StopBatch(Effect, frozen=True, tag="stop_batch"):
    """Stop checking and forget the file. Result: `Stopped`."""

    body: str
    batch: str


class Stopped(msgspec.Struct, frozen=True):
    """It is forgotten."""


class FindTemplate(Effect, frozen=True, tag="find_template"):
    """An empty list to fill in. Result: `Template`."""


class Template(msgspec.Struct, frozen=True):
    """Addresses of the empty list, and how many rows a file may have."""

    excel: str
    text: str
    rows: int


class QuoteBatch(Effect, frozen=True, tag="quote_batch"):
    """What ``years`` cost for everyone in the batch who may have them. Result: `BatchQuote`.

    Attributes:
        body: unified number.
        batch: its reference.
        years: whole years.
        fines: whether workers with fines of their own are among them, and their fines are paid along.
    """

    body: str
    batch: str
    years: int
    fines: bool = False


class BatchQuote(msgspec.Struct, frozen=True):
    """A price that holds for a while.

    Attributes:
        subject: the body's unified number, masked.
        ref: of the basket that `checkout` is given.
        count: how many workers.
        fils: the sum.
        until: until when it holds (epoch seconds).
        large: above the sum for which a fresh sign-in is asked for.
    """

    subject: str
    ref: str
    count: int
    fils: int
    until: int
    large: bool = False
