"""Made-up companies and government bodies, their workers, and lists of those."""

from typing import Any, Final

from bot.dialogs.batch import Sheet
from bot.dialogs.checkout import CheckPayment, OpenOrder, RenewLink, Status
from bot.dialogs.company import (
    Bodies,
    Due,
    FindWorker,
    Found,
    ListBodies,
    ListWorkers,
    Office,
    QuoteWorkers,
    Workers,
)
from bot.dialogs.company.effects import (
    Batch,
    BatchQuote,
    FindTemplate,
    QuoteBatch,
    ReadBatch,
    StartBatch,
    StopBatch,
    Stopped,
    Template,
    YearOffer,
)
from bot.dialogs.renewal import Quoted
from bot.domain import Bill
from bot.i18n.text import Local, masked
from bot.residency.facts import Body, Kin
from bot.residency.verdict import Barrier, Block, Candidate
from tests.dialogs.data import link, standing
from tests.dialogs.family import EVERY_BLOCK, MINUTES, candidate, item_lines, overstay, signed
from tests.dialogs.harness import NOON, Chat

COMPANY: Final = Body("2600000012", Local("شركة البناء", "Building Co."), government=False, due=12)
OTHER: Final = Body("2600000015", Local("شركة النقل", "Transport Co."), government=False)
MINISTRY: Final = Body("1100000017", Local("جهة حكومية", "Government body"), government=True, due=3)
WORKER_ID, BLOCKED_ID, STRANGER_ID = "290063001017", "268032105138", "272120100478"


def worker(civil_id: str = WORKER_ID, **other: Any) -> Candidate:
    """A worker of article 18, insured for two years."""
    return candidate(Kin.WORKER, civil_id, **{"article": 18, "latin": "RAVI KUMAR", **other})


READY: Final = worker()
BLOCKED: Final = worker(
    BLOCKED_ID,
    barriers=(Barrier(Block.INSURANCE, fils=100_000), Barrier(Block.WORK_PERMIT, day="2026-12-01")),
    fines=(overstay(),),
)
FOUND: Final = Found(READY, passport="2029-03-12", work_permit="2028-12-31")
DUE: Final = Workers(
    (Due(WORKER_ID, "Ravi Kumar", "2027-01-01"), Due(BLOCKED_ID, "Amina Yusuf", "2027-01-02")), more=True
)
OFFICE: Final = Office(
    bodies=(COMPANY, OTHER, MINISTRY),
    body="0",
    due=DUE.workers,
    more=True,
    number=WORKER_ID,
    worker=worker(BLOCKED_ID, barriers=EVERY_BLOCK, fines=(overstay(),)),
    passport="2029-03-12",
    work_permit="2028-12-31",
    plan="2",
    bill=Bill("2900****1017", item_lines(0, READY, 2), (WORKER_ID,), COMPANY.number),
    until=NOON + 60 * MINUTES,
    before=39_000,
)
EXCEL, TEXT = "https://iqamati.example/batches/list-ar.xlsx", "https://iqamati.example/batches/list-ar.csv"
VERDICTS: Final = "https://iqamati.example/batches/t0ken.xlsx"
TEMPLATE: Final = Template(EXCEL, TEXT, 5000)
LIST: Final = "B-7F3C-9A1D"
OFFERS: Final = (
    YearOffer(1, 4_311, 86_220_000, 4_311, 86_220_000),
    YearOffer(2, 3_902, 156_080_000, 3_902, 156_080_000),
)
BEGUN: Final = Batch(LIST, 5_000)
HALF: Final = Batch(LIST, 5_000, 2_000, 1_700, 200, 80, 20, waiting=True)
CHECKED: Final = Batch(LIST, 5_000, 5_000, 4_311, 502, 151, 36, OFFERS, VERDICTS, NOON + 3600)
HOPELESS: Final = Batch(LIST, 2, 2, 0, 1, 1, 0, (), VERDICTS, NOON + 3600)
QUOTE: Final = BatchQuote("2600****0012", "B-AAAA-BBBB", 3_902, 156_080_000, NOON + 60 * MINUTES)
SHEET: Final = Sheet(COMPANY.number, COMPANY.name, TEMPLATE, "F1", CHECKED, "2", QUOTE)


def quoted(one: Candidate = READY, years: int = 2, body: Body = COMPANY, **other: Any) -> Quoted:
    """What the service quotes for one worker."""
    items = item_lines(0, one, years)
    bill = Bill(masked(one.civil_id).text, items, (one.civil_id,), body.number)
    return Quoted(bill, (one,), NOON + 60 * MINUTES, **other)


def at_desk(chat: Chat, *bodies: Body) -> Chat:
    """Whoever acts for ``bodies`` is signed in and has chosen the service."""
    signed(chat).answers(ListBodies, Bodies(bodies or (COMPANY,))).answers(ListWorkers, DUE)
    chat.answers(FindWorker, FOUND).answers(QuoteWorkers, quoted())
    return chat.says("/company")


def sending(chat: Chat) -> Chat:
    """A list is asked for."""
    chat.answers(FindTemplate, TEMPLATE).answers(StartBatch, BEGUN).answers(ReadBatch, CHECKED)
    chat.answers(QuoteBatch, QUOTE).answers(StopBatch, Stopped())
    at_desk(chat).presses("A list as a file").stands("company.batch", "batch.upload")
    chat.effects.clear()
    return chat


def payable(chat: Chat) -> Chat:
    """Payment pages can be made."""
    chat.answers(OpenOrder, link()).answers(RenewLink, link(NOON + 60))
    return chat.answers(CheckPayment, standing(Status.NONE))
