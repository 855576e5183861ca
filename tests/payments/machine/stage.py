"""What the rules stand on: the town, what is known of it, and how something is begun in it."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from hypothesis.stateful import RuleBasedStateMachine

from bot.dialogs.checkout import OpenOrder, PayLink, Standing
from bot.domain import Item, ItemKind
from bot.i18n.text import Local
from bot.model import Chat, Woken
from bot.ports import Asked
from bot.services.orders import Heard
from tests.payments.machine.bank import Charge, Told, Word
from tests.payments.machine.databases import Book, Database
from tests.payments.machine.figures import Figures
from tests.payments.machine.gateway import SIGNED, Mood, notification
from tests.payments.machine.town import Op, Process, Town
from tests.payments.machine.truths import Truths, must

CHATS = (Chat("whatsapp", "96550001234"), Chat("telegram", "812000999"))
FINES = tuple(
    Item(f"F{number}", ItemKind.TRAFFIC, Local(f"مخالفة {number}", f"Fine {number}"), fils)
    for number, fils in enumerate((5_000, 18_600, 1, 1_005, 999_999_000, 20_000), 1)
) + tuple(
    Item(f"R{part + 1}", ItemKind.RENEWAL, Local("معال", "Dependant"), 20_000, 1, "2027-12-31", part)
    for part in range(2)
)
"""Fines, and two residencies whose renewals are recorded apart."""

T = TypeVar("T")


class Stage(RuleBasedStateMachine):
    """The machine without its rules.

    Attributes:
        book: what the ledger said after the last step.
        links: payment links, oldest first.
        owners: whose order it is.
        answers: how notifications of a charge were answered.
    """

    database: ClassVar[Database]
    figures: ClassVar[Figures] = Figures()

    def __init__(self) -> None:
        super().__init__()
        self.town = Town(self.database, self._judge)
        self.truths = Truths(self.town.bank, self.town.registry)
        self.book: Book = self.town.look()
        self.links: list[PayLink] = []
        self.owners: dict[str, Chat] = {}
        self.keys = 0
        self.answers: dict[str, str] = {}
        self.figures.examples += 1

    def _judge(self, woken: Woken, book: Book) -> None:
        self.truths.judge(woken, book)

    def open(self, who: int, chat: int, basket: Sequence[int]) -> tuple[Any, Callable[[Any], None]]:
        items = tuple(FINES[number] for number in basket)
        asked = Asked(f"{chat}:{self.keys}", CHATS[chat], "ar")

        def then(link: Any) -> None:
            if isinstance(link, PayLink):
                self.owners.setdefault(link.order, CHATS[chat])
                self.links.append(link)

        return self.process(who).orders.open(OpenOrder("2850****0029", items, ("285011500029",)), asked), then

    def begin(
        self,
        label: str,
        work: Any,
        then: Callable[[Any], None] = lambda _: None,
        stop: int = 0,
        fault: Mood = Mood.WELL,
    ) -> Op:
        """Begin something; ``fault``: of the gateways, until it is done or held for the first time."""
        self.figures.rules[label] += 1
        before = [gateway.mood for gateway in self.town.gateways]
        for gateway in self.town.gateways:
            gateway.mood = fault if gateway.mood is Mood.WELL else gateway.mood
        op = self.town.begin(label, work, stop)
        for gateway, mood in zip(self.town.gateways, before, strict=True):
            gateway.mood = mood
        op.then = then
        self.figures.held += op.held
        self.take_in()
        return op

    def heed(self) -> None:
        """Take in what came to its end and what the ledger says now."""
        self.take_in()
        self.book = self.town.look()

    def take_in(self) -> None:
        for op in self.town.settled():
            op.then(op.result())

    def notify(self, told: Told, who: int, stop: int = 0, fault: Mood = Mood.WELL) -> None:
        name = told.charge.gateway
        work = self.process(who).orders.notified(name, notification(told), {SIGNED: name})

        def then(heard: Any) -> None:
            if isinstance(heard, Heard):
                known = self.answers.setdefault(told.charge.track, heard.answer)
                must(heard.answer == known, "the same answer to the same notification", told)

        op = self.begin("notify", work, then, stop, fault)
        must(op.held or isinstance(op.result(), Heard), "a notification of ours is heard", told)

    def answered(self, op: Op, link: PayLink) -> None:
        """What is said to somebody who asks is true at that moment."""
        if op.held or not isinstance(how := op.result(), Standing):
            return
        said = how.status in {"paid", "posted", "review"}
        if how.status in {"paid", "posted"}:
            good = [charge for charge in self.charges(link.order) if charge.taken and charge.is_good]
            must(good, "whoever is told that they paid has paid", how)
        for charge in self.known_captures(link.order):
            must(said or charge.given, "whoever paid is not told that they did not", how, charge)

    def known_captures(self, ref: str) -> list[Charge]:
        """Captures of an order that the bank tells whoever asks, and that are not given back."""
        now = self.town.clock.now()
        if any(gateway.mood is not Mood.WELL for gateway in self.town.gateways):
            return []
        return [
            charge
            for charge in self.charges(ref)
            if charge.says(now) is Word.CAPTURED and not charge.fickle and not charge.given
        ]

    def charges(self, ref: str) -> list[Charge]:
        self.book = self.town.look()  # a rule may do several things
        mine = [row["track"] for row in self.book["attempts"] if self.ref(row) == ref]
        return [charge for track, charge in self.town.bank.charges.items() if track in mine]

    def sees_page(self, url: Any) -> None:
        if isinstance(url, str) and url:
            track = url.replace("?", "/").rpartition("/")[2]
            self.town.bank.charges[track].pages = True

    def pages(self) -> list[Charge]:
        now = self.town.clock.now()
        return [each for each in self.town.bank.charges.values() if self.town.bank.may_press(each, now)]

    def untaken(self) -> list[Charge]:
        now = self.town.clock.now()
        charges = self.town.bank.charges.values()
        ended = (Word.REFUSED, Word.OVER)
        return [each for each in charges if each.pages and not each.taken and each.says(now) in ended]

    def held(self) -> list[dict[str, Any]]:
        """Attempts whose money is here, or may be."""
        return [row for row in self.book["attempts"] if row["status"] in {"PAID", "REVIEW"}]

    def charge(self, which: int) -> Charge:
        return pick(list(self.town.bank.charges.values()), which)

    def process(self, who: int) -> Process:
        return self.town.processes[who]

    def ref(self, attempt: dict[str, Any]) -> str:
        return next(str(row["ref"]) for row in self.book["orders"] if row["id"] == attempt["order_id"])

    def asked(self, link: PayLink) -> Asked:
        return Asked("ask", self.owners[link.order], "ar")


def pick(among: Sequence[T], which: int) -> T:
    """The ``which``-th, from the newest on."""
    return among[-1 - which % len(among)]


def token_of(link: PayLink) -> str:
    return link.url.rpartition("/")[2]
