"""The sample receipt of the documents: a made-up person's, through the trial gateway.

    python -m tools.receipt_sample docs/images

Writes ``receipt.png``, and ``receipt.pdf`` beside it when asked with ``--pdf``.
"""

import sys
from pathlib import Path
from typing import Final

from bot.domain import FineKind, Item
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.i18n.text import Local
from bot.services.receipts import Printer, Receipt, Standing

PPI: Final = 110
"""Pixels per inch: sharp enough to read, small enough to keep in the repository."""

ITEMS: Final = (
    Item("10034471", FineKind.TRAFFIC, Local("تجاوز السرعة المقررة", "Exceeding the speed limit"), 20_000),
    Item("10034502", FineKind.TRAFFIC, Local("الوقوف في مكان ممنوع", "Parking where it is forbidden"), 5_000),
    Item(
        "20011876",
        FineKind.RESIDENCY,
        Local("التأخر في تجديد الإقامة", "Late renewal of residency"),
        20_000,
    ),
)

RECEIPT: Final = Receipt(
    order="IQ-7F3C-9A1D",
    subject="2850****0029",
    items=ITEMS,
    total=sum(item.fils for item in ITEMS),
    paid_at=1_795_519_800,
    provider="sandbox",
    bank="600100000001",
    payment="100202600000000001",
    track="KB7F3C9A1D2E40518XY",
    transaction="600100000002",
    auth="999554",
    standing=Standing.RECORDED,
    proof="https://iqamati.example/r/IQ-7F3C-9A1D_0123456789abcdef01234567",
)


def main(arguments: list[str]) -> int:
    """Write the sample into the folder named; the exit status."""
    folders = [Path(each) for each in arguments if each != "--pdf"]
    if len(folders) != 1:
        print(__doc__)
        return 2
    printer = Printer(Renderer(Catalog()))
    (page,) = printer.pages(RECEIPT, "png", PPI)
    (folders[0] / "receipt.png").write_bytes(page)
    if "--pdf" in arguments:
        (folders[0] / "receipt.pdf").write_bytes(printer.render(RECEIPT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
