"""Whose a link is: the names this installation knows, and the one question its name does not answer."""

import tomllib
from collections.abc import Callable
from importlib.resources import files
from typing import Protocol

import msgspec

from bot.dialogs.real_link import CheckLinks
from bot.dialogs.real_link.verdict import Known, Official, Verdict, Whose, worst
from bot.model import Chat
from bot.ports import Asked, Effect, Executor


class Shown(Protocol):
    """What a payment page shows; `bot.services.orders.Bill`."""

    @property
    def chat(self) -> Chat: ...


class Pages(Protocol):
    """Payment pages; `bot.services.orders.Orders`."""

    async def page(self, token: str) -> Shown | None:
        """What the page of ``token`` shows; None when the token is not ours.

        Raises:
            Unavailable: the ledger does not answer.
        """
        ...


class _Zone(msgspec.Struct, frozen=True):
    zone: str


class _Hosts(msgspec.Struct, frozen=True):
    hosts: frozenset[str]


class _Rules(msgspec.Struct, frozen=True):
    state: _Zone
    shorteners: _Hosts
    official: tuple[Official, ...]


def known_names(base_url: str, gateways: tuple[str, ...]) -> Known:
    """The names of ``bot/rules/official_hosts.toml``, of this installation, and of its gateways.

    Args:
        base_url: where residents find us.
        gateways: hosts a payment may lead to.
    """
    text = (files("bot") / "rules" / "official_hosts.toml").read_text("utf-8")
    table = tomllib.loads(text)
    for official in table["official"]:
        for words in ("owner", "purpose"):
            official[words] = (official[words]["ar"], official[words]["en"])
    rules = msgspec.convert(table, _Rules)
    return Known(
        base_url, (), gateways, rules.official, zone=rules.state.zone, shorteners=rules.shorteners.hosts
    )


def executors(
    pages: Pages, known: Known, chats: Callable[[], tuple[str, ...]]
) -> dict[type[Effect], Executor]:
    """Who executes which effect of the dialog ``real_link``.

    Args:
        pages: the payment pages.
        known: the names.
        chats: addresses of our chats elsewhere, as they are known by now.
    """

    async def check(effect: CheckLinks, asked: Asked) -> Verdict:
        names = msgspec.structs.replace(known, chats=chats())
        verdict, address = worst(effect.links, names)
        if verdict.whose is not Whose.PAYMENT:
            return verdict
        # Somebody else's order and no order at all are told apart by nothing: neither is this resident's.
        bill = await pages.page(address.path.split("/")[2])
        if bill is not None and bill.chat == asked.chat:
            return verdict
        return msgspec.structs.replace(verdict, whose=Whose.STRANGER)

    return {CheckLinks: check}
