"""What receipts cost: how often one is printed, and how many are kept. Counted, not timed."""

import asyncio
import threading

import msgspec
import pytest

from bot.i18n.render import Renderer
from bot.services.receipts import Printer, Receipt, Standing, paper
from bot.services.receipts.paper import KEPT
from tests.receipts.test_receipt_paper import receipt


class Counting(Printer):
    """Prints nothing, and counts."""

    def __init__(self, renderer: Renderer) -> None:
        super().__init__(renderer)
        self.printed: list[str] = []
        self.at_once = self.most = 0
        self.open = threading.Event()
        self.open.set()

    def render(self, receipt: Receipt) -> bytes:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        self.open.wait()
        self.at_once -= 1
        self.printed.append(receipt.order)
        return f"{receipt.order} {receipt.standing}".encode()


async def test_one_receipt_that_many_ask_for_is_printed_once(renderer: Renderer) -> None:
    printer, paper = Counting(renderer), receipt()
    printer.open.clear()
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(printer.print(paper)) for _ in range(200)]
        await asyncio.sleep(0)
        printer.open.set()
    assert {each.result() for each in asked} == {b"IQ-7F3C-9A1D recorded"}
    assert len(printer.printed) == 1


async def test_a_receipt_that_says_something_else_is_another_one(renderer: Renderer) -> None:
    printer, paper = Counting(renderer), receipt()
    await printer.print(paper)
    refunded = msgspec.structs.replace(paper, standing=Standing.REFUNDED)
    assert await printer.print(refunded) == b"IQ-7F3C-9A1D refunded"
    assert await printer.print(paper) == b"IQ-7F3C-9A1D recorded"
    assert len(printer.printed) == 2


async def test_a_receipt_is_kept_for_some_time_only(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "KEPT_FOR", 0.0)
    printer = Counting(renderer)
    await printer.print(receipt())
    async with asyncio.timeout(10):
        while printer._kept:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)


async def test_a_burst_is_printed_one_by_one_and_the_last_few_are_kept(renderer: Renderer) -> None:
    printer = Counting(renderer)
    papers = [receipt(order=f"IQ-{number}") for number in range(200)]
    await asyncio.gather(*(printer.print(paper) for paper in papers))
    assert printer.most == 1
    assert len(printer.printed) == 200
    assert len(printer._kept) == KEPT
    await asyncio.gather(*(printer.print(paper) for paper in papers[-KEPT:]))
    assert len(printer.printed) == 200
