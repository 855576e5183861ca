"""A chat in every state in which someone can be found, with plausible answers."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import msgspec

from bot.dialogs.checkout import Payment, RefusalReason, Status
from bot.dialogs.family_join import Check
from bot.dialogs.find_reference import Holder
from bot.dialogs.home import Nothing
from bot.dialogs.identify import SignIn
from bot.dialogs.my_data import Export, Forgotten, Kept
from bot.dialogs.my_data.forget import Deletion
from bot.dialogs.my_data.mine import Mine
from bot.dialogs.overstay import Question
from bot.dialogs.real_link import Asked
from bot.dialogs.real_link.address import Address
from bot.dialogs.real_link.verdict import Trick, Verdict, Whose
from bot.dialogs.receipts import Listed, Papers
from bot.dialogs.reminders import Dropped, Wishes
from bot.dialogs.renewal import Renewing
from bot.dialogs.verify import Held, Why
from bot.dialogs.violations import Search
from bot.domain import FineKind
from bot.i18n.text import Local
from bot.model import Frame, Session
from bot.residency.family_join import Joining
from bot.residency.reminding import Kind
from bot.spec import Dialog, Do, Waiting
from tests.dialogs import leaving
from tests.dialogs.data import (
    BANK,
    BARRED,
    HOST,
    LIFE,
    ORDER,
    PAGE,
    PAPER,
    PAYMENT_ID,
    THREE,
    TRACK,
    fine,
    items,
    standing,
)
from tests.dialogs.dates import known, me, son
from tests.dialogs.family import EVERY_BLOCK, MOTHER, SON, WIFE, overstay, price
from tests.dialogs.harness import BOOK, CIVIL_ID, MASKED, NOON, Chat
from tests.dialogs.staff import OFFICE, SHEET

OUTSTANDING: Final = (leaving.fine(1, 1_234_500), leaving.fine(2, 5_000, FineKind.TRAFFIC))
VERIFY: Final = "https://iqamati.example/verify/017t0ken"
MANY: Final = tuple(fine(number, 1_234_500) for number in range(1, 24))
SEARCH: Final = Search(number=CIVIL_ID, on="2026-11-21", fines=(*THREE, BARRED), chosen=("F1", "F2"))
PAYMENT: Final = Payment(
    MASKED,
    items(*THREE),
    order=ORDER,
    url=PAGE,
    host=HOST,
    until=NOON + LIFE,
    bank=BANK,
    reason=RefusalReason.FUNDS,
    at=NOON,
    payment=PAYMENT_ID,
    track=TRACK,
    paper=PAPER,
)
RENEWING: Final = Renewing(
    (
        WIFE,
        SON,
        msgspec.structs.replace(MOTHER, barriers=EVERY_BLOCK, fines=(overstay(),)),
        *(
            msgspec.structs.replace(MOTHER, permit=f"M{number}", name=Local(f"أم {number}", f"Mum {number}"))
            for number in range(6)
        ),
    ),
    person="2",
    chosen=("0", "1"),
    plan="e12",
    bill=price((WIFE, 1), (SON, 2)).bill,
    until=NOON + LIFE,
)
ANSWERS: Final[dict[str, msgspec.Struct]] = {
    "home": Nothing(),
    "violations": SEARCH,
    "renewal": RENEWING,
    "company": OFFICE,
    "batch": SHEET,
    "overstay": Question(
        last=date(2026, 10, 7),
        stay=leaving.stayed(-45, fines=OUTSTANDING),
        clearance=leaving.cleared(-45, fines=OUTSTANDING, travel_ban=True, article=18, biometric=False),
    ),
    "family_join": Check(
        "2026-11-21", Joining.CHILD, 18, 600_000, listed=False, here=False, age=4, parents=True
    ),
    "find_reference": Holder(CIVIL_ID, "A1234567", date(2027, 3, 12)),
    "checkout": PAYMENT,
    "identify": SignIn("S1", "https://iqamati.example/signin/t0ken", "id.example.kw", NOON + LIFE),
    "real_link": Asked(
        (Address("https", "moi.gov.kw.example"),),
        1,
        Verdict(Whose.NEITHER, "moi.gov.kw.example", Trick.LIKE, "moi.gov.kw"),
    ),
    "verify": Held(why=Why.CHAT, limit=10, until=NOON + 3600, url=VERIFY, ref="V1", closes=NOON + LIFE),
    "mydata": Mine(
        Kept(MASKED, NOON + 365 * 86400, renew=True, orders=11, paid=2, reminders=3),
        export=Export("https://iqamati.example/mydata/t0ken.json", NOON + LIFE),
    ),
    "forget": Deletion(Forgotten(ORDER, 2, NOON + 180 * 86400)),
    "reminders": Wishes(
        known(me(Kind.RESIDENCY), son(Kind.PASSPORT), others=3, renew=True),
        ("0", "1"),
        ("residency", "insurance"),
        "1.passport",
        Dropped(11),
    ),
    "receipts": Papers((Listed(ORDER, 45_000, NOON),), chosen=ORDER, standing=standing(Status.POSTED)),
}


def frame(dialog: Dialog[Any], state: str, answers: msgspec.Struct | None = None) -> Frame:
    """A frame as it is stored."""
    given = answers if answers is not None else ANSWERS[dialog.id]
    return Frame(dialog.id, dialog.version, state, NOON - 1, msgspec.to_builtins(given))


def places() -> Iterator[tuple[str, str]]:
    """Every dialog and state that waits for the resident or for an effect."""
    for dialog in BOOK.dialogs.values():
        for name, state in dialog.states.items():
            if isinstance(state, Waiting | Do):
                yield dialog.id, name.value


PLACES: Final = list(places())


def stand(language: str, dialog: str, state: str, answers: msgspec.Struct | None = None) -> Chat:
    """A chat whose resident stands there, called the usual way."""
    home, violations = BOOK.home, BOOK.dialogs["violations"]
    below = {
        "home": (),
        "violations": (frame(home, "violations"),),
        "renewal": (frame(home, "renewal"),),
        "company": (frame(home, "company"),),
        "batch": (frame(home, "company"), frame(BOOK.dialogs["company"], "batch")),
        "overstay": (frame(home, "overstay"),),
        "family_join": (frame(home, "family_join"),),
        "find_reference": (frame(home, "violations"), frame(violations, "finding")),
        "checkout": (frame(home, "violations"), frame(violations, "paying")),
        "real_link": (frame(home, "real_link"),),
        "mydata": (frame(home, "my_data"),),
        "forget": (frame(home, "forget"),),
        "receipts": (frame(home, "receipts"),),
        "reminders": (frame(home, "reminders"),),
        "identify": (frame(home, "sign_in"),),
        "verify": (frame(home, "violations"), frame(violations, "held")),
    }[dialog]
    top = frame(BOOK.dialogs[dialog], state, answers)
    spec = BOOK.dialogs[dialog].states[_name(dialog, state)]
    timed = isinstance(spec, Waiting) and spec.after
    if isinstance(spec, Do):
        top = msgspec.structs.replace(top, pending="1:0")
    session = Session(
        rev=NOON - 1,
        language=language,
        chosen=True,
        frames=(*below, top),
        touched=NOON - 60,
        due=NOON + LIFE if timed else 0,
    )
    chat = Chat(language)
    chat.session = msgspec.msgpack.decode(msgspec.msgpack.encode(session), type=Session)
    return chat


def _name(dialog: str, state: str) -> Any:
    return next(name for name in BOOK.dialogs[dialog].states if name.value == state)
