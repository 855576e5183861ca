"""What nonsense is made of: parts that are valid here, so that it gets further than the first check."""

import contextlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from bot.dialogs.checkout import OpenOrder
from bot.dialogs.identify import BeginSignIn, SignInLink
from bot.domain import Item, ItemKind
from bot.i18n.text import Local
from bot.model import Chat
from bot.ports import Asked, Failed
from bot.services.payments.knet.cipher import encrypted
from tests.hardening.world import Site
from tests.payments.counterparts import knet

PAYEE: Final = "2850****0029"


@dataclass(frozen=True)
class Seeds:
    """Valid parts.

    Attributes:
        cookie: of a chat.
        secret: of Telegram's webhook; empty without one.
        paths: addresses that exist.
        words: tokens, ids and names that mean something somewhere.
    """

    cookie: str
    secret: str
    paths: tuple[str, ...]
    words: tuple[str, ...]


async def seeds(site: Site) -> Seeds:
    """A chat, an order, a sign-in, a verification, and the addresses of all that belongs to them."""
    service = site.service
    async with site.client() as client:
        await client.get("/")
        cookie = client.cookies["iq_chat"]
    chat = Chat("web", cookie.rpartition(".")[0])
    asked = Asked("web:1:0", chat, "ar", actor="285011500029", origin="0" * 24)
    fine = Item("F-1", ItemKind.TRAFFIC, Local("وقوف ممنوع", "Prohibited parking"), 5250)
    order = await service.orders.open(OpenOrder(PAYEE, (fine,)), asked)
    addresses = [
        order.url,
        service.receipts.link(order.order),
        service.receipts.proof(order.order),
        service.personal.exports.link(chat, "ar")[0],
        (await service.verification.ticket(chat, "ar")).url,
    ]
    with contextlib.suppress(Failed):
        link = await service.sign_ins.begin(BeginSignIn(), asked)
        assert isinstance(link, SignInLink)
        addresses.append(link.url)
    paths = tuple(urlsplit(address).path for address in addresses)
    words = [part for path in paths for part in path.split("/") if part]
    telegram = service.telegram
    return Seeds(cookie, telegram._secret if telegram else "", paths, (*words, order.order, "F-1", PAYEE))


def enciphered(text: str) -> str:
    """What KNET's page would send back, had it such an answer: the cipher is right, the answer is nonsense."""

    return urlencode({"trandata": encrypted(text, knet.KEY.encode()), "paymentid": "100202400000001"})
