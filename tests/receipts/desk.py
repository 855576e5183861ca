"""Paid orders put straight into a ledger, and the receipts over it."""

from collections.abc import Sequence
from itertools import count

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.crypto import Keyring
from bot.domain import Item, ItemKind
from bot.i18n.text import Local
from bot.model import Chat
from bot.services.ledger import AttemptStatus, Ledger, NewOrder, Order, OrderStatus, RefundStatus
from bot.services.receipts import Printer, Receipts

NOON = 1_795_500_000
BASE = "https://pay.example.com"
HERE = Chat("whatsapp", "96550001234")
THERE = Chat("telegram", "812000999")
SUBJECT = "2850****0029"
_NUMBERS = count(1)


class StillClock:
    """Time that moves when told to."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return float(self.at)

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


def fines(*fils: int) -> tuple[Item, ...]:
    """Fines of the given amounts, of both kinds in turn."""
    kinds = tuple(ItemKind)
    return tuple(
        Item(
            f"F{next(_NUMBERS)}",
            kinds[number % 2],
            Local(f"مخالفة تجاوز السرعة {number}", f"Speeding {number}"),
            each,
        )
        for number, each in enumerate(fils)
    )


class Office:
    """A ledger with the receipts over it."""

    def __init__(self, engine: AsyncEngine, printer: Printer) -> None:
        self.ledger = Ledger(engine)
        self.keyring = Keyring.parse(Keyring.generate())
        self.clock = StillClock()
        self.printer = printer
        self.receipts = self.over(self.ledger)

    def over(self, ledger: Ledger) -> Receipts:
        return Receipts(ledger, self.keyring, self.clock, self.printer, BASE)

    async def unpaid(self, items: Sequence[Item] = (), chat: Chat = HERE) -> Order:
        number = next(_NUMBERS)
        new = NewOrder(
            ref=f"IQ-7F3C-{number:04X}",
            key=f"key{number}",
            chat=b"sealed",
            chat_blind=self.keyring.blind(f"{chat.channel}:{chat.id}"),
            language="ar",
            subject=SUBJECT,
            items=tuple(items) or fines(20_000, 25_000),
        )
        async with self.ledger.write() as work:
            return await work.add_order(new, self.clock.now())

    async def paid(
        self,
        items: Sequence[Item] = (),
        *,
        status: OrderStatus = OrderStatus.POSTED,
        chat: Chat = HERE,
        provider: str = "knet",
    ) -> Order:
        return await self.pay(await self.unpaid(items, chat), status=status, provider=provider)

    async def pay(
        self, order: Order, *, status: OrderStatus = OrderStatus.POSTED, provider: str = "knet"
    ) -> Order:
        now, bank = self.clock.now(), f"6001{next(_NUMBERS):08}"
        numbers = {"bank": bank, "payment": f"P{bank}", "bank_transaction": f"T{bank}", "auth": "999554"}
        async with self.ledger.write() as work:
            track = f"KB{next(_NUMBERS):08}"
            attempt = await work.add_attempt(order, provider, track, now, now)
            paid = {"status": AttemptStatus.PAID, "captured": order.total_fils, "due": None}
            await work.set_attempt(attempt, now, "gateway", "paid", **paid, **numbers)
            return await work.set_order(order, now, "gateway", "paid", status=status, paid_at=now, bank=bank)

    async def other_capture(self, order: Order) -> None:
        """Another attempt of the order was captured too and given back whole."""
        now = self.clock.now()
        async with self.ledger.write() as work:
            attempt = await work.add_attempt(order, "knet", f"KB{next(_NUMBERS):08}", now, now)
            taken = {"status": AttemptStatus.REFUNDED, "bank": "600999", "captured": order.total_fils}
            await work.set_attempt(attempt, now, "gateway", "second", due=None, **taken)
        await self.refund(order, order.total_fils, attempt=-1)

    async def refund(
        self,
        order: Order,
        fils: int,
        *,
        status: RefundStatus = RefundStatus.DONE,
        attempt: int = 0,
    ) -> None:
        now = self.clock.now()
        async with self.ledger.write() as work:
            paid = (await work.attempts(order.id))[attempt]
            key = f"refund{next(_NUMBERS)}"
            row = await work.add_refund(paid, key, fils, why="asked", who="op", at=now, due=now)
            if status is not RefundStatus.ASKED:
                await work.set_refund(row, now, "op", "done", status=status, due=None)


def token_of(url: str) -> str:
    """The token in an address of ours."""
    return url.rsplit("/", 1)[1].removesuffix(".pdf")
