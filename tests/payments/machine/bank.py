"""The bank: who was charged how much, what it says about it and when, and what it gave back.

Knows nothing of the service. A charge has a truth (`Charge.taken`) and what the bank says meanwhile and in
the end; the two may differ, which is the point. Amounts are fils.
"""

from dataclasses import dataclass, field
from enum import StrEnum

PAGE_LIFE = 30 * 60
"""Seconds after which the page of a gateway whose pages end is over."""

PRESSED_WITHIN = 10 * 3600
"""Seconds after which nobody pays on an open page any more."""

KEYS_KEPT = 4 * 3600
"""Seconds the bank remembers the key of a refund (MyFatoorah 250 minutes, Tap a day)."""


class Word(StrEnum):
    """What the bank says of a charge."""

    NOTHING = "nothing"
    OPEN = "open"
    DECIDING = "deciding"
    SILENT = "silent"
    CAPTURED = "captured"
    REFUSED = "refused"
    OVER = "over"
    ODD = "odd"
    RETURNED = "returned"


FINAL = frozenset((Word.CAPTURED, Word.REFUSED, Word.OVER))


@dataclass
class Given:
    """A refund as the bank did it, or is to do it.

    Attributes:
        done_at: when the money goes back (epoch seconds).
        refused: it never goes.
    """

    key: str
    fils: int
    at: int
    done_at: int
    refused: bool = False


@dataclass
class Charge:
    """One charge as it really is.

    Attributes:
        gateway: which of the bank's gateways.
        track: the merchant's number.
        asked: fils.
        back: where browsers go.
        made: epoch seconds.
        ends: whether the page ends by itself.
        pages: whether anybody was given the page.
        taken: what left the card, in ``currency``.
        last: the bank's last word, said from ``speaks`` on.
        meanwhile: what it says before.
        named: the track id its answers name.
        fickle: it has said, or will say, two last words that contradict one another; only a notification
            can tell of the second.
        given: what was given back.
    """

    gateway: str
    track: str
    asked: int
    back: str
    made: int
    ends: bool
    pages: bool = False
    taken: int = 0
    currency: str = "KWD"
    last: Word = Word.OPEN
    meanwhile: Word = Word.OPEN
    speaks: int = 0
    named: str = ""
    fickle: bool = False
    code: str = ""
    given: list[Given] = field(default_factory=list[Given])

    def says(self, now: int) -> Word:
        """The bank's word now."""
        word = self.last if now >= self.speaks else self.meanwhile
        if word is Word.OPEN and self.ends and now >= self.made + PAGE_LIFE:
            return Word.OVER
        if word is Word.CAPTURED and self.ends and self.went_back(now) >= self.taken:
            return Word.RETURNED
        return word

    def went_back(self, now: int) -> int:
        """Fils that really went back by now."""
        return sum(each.fils for each in self.given if each.done_at <= now and not each.refused)

    @property
    def dinars_taken(self) -> int:
        """Fils taken in KWD."""
        return self.taken if self.currency == "KWD" else 0

    @property
    def is_good(self) -> bool:
        """Taken as asked for, and honestly reported in the end."""
        return (self.taken, self.currency, self.named) == (self.asked, "KWD", self.track)


@dataclass
class Told:
    """A notification, as often delivered as somebody likes."""

    charge: Charge
    event: str
    claims: Word
    fils: int


class Bank:
    """All charges, and the notifications under way."""

    def __init__(self) -> None:
        self.charges: dict[str, Charge] = {}
        self.told: list[Told] = []

    def charge(self, charge: Charge) -> Charge:
        """The charge of that track id, made now unless it is known."""
        charge.named = charge.track
        return self.charges.setdefault(charge.track, charge)

    def may_press(self, charge: Charge, now: int) -> bool:
        """Whether the page is open to somebody."""
        waits = charge.last is Word.OPEN and charge.says(now) is Word.OPEN
        return charge.pages and waits and now - charge.made < PRESSED_WITHIN

    def approve(self, charge: Charge, now: int, silence: int, meanwhile: Word, altered: str = "") -> None:
        """Take the money; speak of it after ``silence`` seconds.

        Args:
            charge: which.
            now: epoch seconds.
            silence: seconds.
            meanwhile: what is said until then.
            altered: ``amount``, ``currency`` or ``track`` are other ones; ``odd``: the answers make no sense.
        """
        over = charge.ends and meanwhile is Word.OPEN and now + silence >= charge.made + PAGE_LIFE
        charge.fickle |= charge.last in FINAL or (silence > 0 and (over or meanwhile in FINAL))
        charge.taken = 1 if altered == "amount" else charge.asked
        charge.currency = "USD" if altered == "currency" else "KWD"
        charge.named = charge.track[::-1] if altered == "track" else charge.track
        charge.last = Word.ODD if altered == "odd" else Word.CAPTURED
        charge.meanwhile, charge.speaks = meanwhile, now + silence
        self.tell(charge, Word.CAPTURED)

    def refuse(self, charge: Charge, code: str, altered: str = "") -> None:
        """Take nothing."""
        charge.last, charge.speaks, charge.code = Word.REFUSED, 0, code
        charge.named = charge.track[::-1] if altered == "track" else charge.track
        self.tell(charge, Word.REFUSED)

    def leave(self, charge: Charge, word: Word) -> None:
        """Somebody began to pay and went away: nothing is taken, and nothing is said of it any more."""
        charge.last, charge.speaks = word, 0

    def tell(self, charge: Charge, claims: Word) -> None:
        """Queue a notification."""
        event = f"E{len(self.told)}"
        self.told.append(Told(charge, event, claims, charge.taken or charge.asked))

    def give_back(self, charge: Charge, wanted: Given, *, keyed: bool) -> Given:
        """Give back; again under a remembered key nothing more, else as often as it is asked for."""
        for each in charge.given:
            if keyed and each.key == wanted.key and wanted.at - each.at < KEYS_KEPT:
                return each
        charge.given.append(wanted)
        return wanted

    def refund(self, charge: Charge, key: str) -> Given | None:
        """The latest refund under ``key``."""
        return next((each for each in reversed(charge.given) if each.key == key), None)
