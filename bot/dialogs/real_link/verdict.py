"""Whose a link is. A name must be the very one that is known; whatever only looks like it is called by its trick."""

import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import msgspec

from bot.dialogs.real_link.address import Address, letters
from bot.i18n.text import Local

NOWHERE: Final = Local("", "")


class Whose(StrEnum):
    """Whose a link is, the most doubtful first."""

    NEITHER = "neither"
    GATEWAY = "gateway"  # theirs to whom our button leads; never opened from a message
    STRANGER = "stranger"  # our payment page, but not of an order of this chat
    SIGN_IN = "sign_in"  # our sign-in page: somebody else's would sign in somebody else's chat
    PAYMENT = "payment"  # our payment page of an order of this chat
    STATE = "state"  # under the state's own domain, and not in the list
    OFFICIAL = "official"
    RECEIPT = "receipt"  # our page that shows whether a receipt is genuine, or the receipt
    OURS = "ours"


class Trick(StrEnum):
    """How a link deceives, as far as it can be told."""

    NONE = ""
    AT = "at"  # a known name before an @, the real host behind it
    NUMBER = "number"  # an IP address
    LIKE = "like"  # it resembles a name we know, or carries it inside
    SHORT = "short"  # a shortener
    ODD = "odd"  # no page of the web, or no host a browser takes
    PORT = "port"  # a known name, but another door of the machine
    PLAIN = "plain"  # a known name without encryption


class Verdict(msgspec.Struct, frozen=True):
    """What is said of a link.

    Attributes:
        whose: whose it is.
        host: where it leads; ASCII.
        trick: how it deceives.
        like: the name it imitates.
        owner: whose the official host is.
        purpose: what it is for.
    """

    whose: Whose = Whose.NEITHER
    host: str = ""
    trick: Trick = Trick.NONE
    like: str = ""
    owner: Local = NOWHERE
    purpose: Local = NOWHERE


class Official(msgspec.Struct, frozen=True):
    """A line of ``bot/rules/official_hosts.toml``, whose header explains the fields."""

    host: str
    owner: Local
    purpose: Local


class Known(msgspec.Struct, frozen=True):
    """The names that are known.

    Attributes:
        base_url: where residents find us.
        chats: addresses of our chats elsewhere (``https://t.me/…``).
        gateways: hosts a payment may lead to, ``host`` or ``host:port``.
        officials: the state's sites.
        zone: the domain in which only state bodies may register a name.
        shorteners: hosts of short links.
    """

    base_url: str
    chats: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    officials: tuple[Official, ...] = ()
    zone: str = ""
    shorteners: frozenset[str] = frozenset()


_PAGES: Final = (
    ("/p/", Whose.PAYMENT),
    ("/r/", Whose.RECEIPT),
    ("/receipts/", Whose.RECEIPT),
    ("/signin", Whose.SIGN_IN),
)
_PORTS: Final = {"https": 443, "http": 80, "": 443}


def worst(addresses: Iterable[Address], known: Known) -> tuple[Verdict, Address]:
    """The most doubtful of some links; at least one is given."""
    order = list(Whose)
    judged = [(judge(address, known), address) for address in addresses]
    return min(judged, key=lambda one: (order.index(one[0].whose), one[0].trick is Trick.NONE))


def judge(address: Address, known: Known) -> Verdict:
    """Whose ``address`` is."""
    if trick := _trick(address, known):
        return Verdict(Whose.NEITHER, address.host, trick, imitated(address, known))
    if verdict := _ours(address, known):
        return verdict
    for official in known.officials:
        if address.host == official.host:
            trick = _unsafe(address)
            whose = Whose.NEITHER if trick is Trick.PORT else Whose.OFFICIAL
            return Verdict(whose, address.host, trick, "", official.owner, official.purpose)
    if address.host in {urlsplit(f"//{host}").hostname for host in known.gateways}:
        return Verdict(Whose.GATEWAY, address.host)
    # Foreign letters under the state's domain are a disguise: its names are written in Latin ones.
    if known.zone and address.host.endswith(f".{known.zone}") and "xn--" not in address.host:
        trick = _unsafe(address)
        return Verdict(Whose.NEITHER if trick is Trick.PORT else Whose.STATE, address.host, trick)
    like = imitated(address, known)
    return Verdict(Whose.NEITHER, address.host, Trick.LIKE if like else Trick.NONE, like)


def _trick(address: Address, known: Known) -> Trick:
    """What rules a link out whatever its name."""
    if address.scheme not in _PORTS or not address.host:
        return Trick.ODD
    if address.disguised:
        return Trick.AT
    if address.host in known.shorteners:
        return Trick.SHORT
    own = urlsplit(known.base_url).hostname
    return Trick.NUMBER if _is_number(address.host) and address.host != own else Trick.NONE


def _is_number(host: str) -> bool:
    """Whether browsers read ``host`` as an IP address: its last part is a number (URL Standard, 3.5)."""
    last = host.rpartition(".")[2]
    return host.startswith("[") or last.isdecimal() or last.startswith("0x")


def _ours(address: Address, known: Known) -> Verdict | None:
    base = urlsplit(known.base_url)
    if address.host != base.hostname:
        theirs = f"https://{address.host}{address.path}".rstrip("/").lower()
        if address.scheme != "http" and theirs in {chat.rstrip("/").lower() for chat in known.chats}:
            return Verdict(Whose.OURS, address.host)
        return None
    if (address.scheme or base.scheme) != base.scheme:
        return Verdict(Whose.NEITHER, address.host, Trick.PLAIN)
    port = base.port or _PORTS[base.scheme]
    if (address.port or _PORTS[address.scheme or base.scheme]) != port:
        return Verdict(Whose.NEITHER, address.host, Trick.PORT)
    for path, whose in _PAGES:
        if address.path.startswith(path):
            return Verdict(whose, address.host)
    return Verdict(Whose.OURS, address.host)


def _unsafe(address: Address) -> Trick:
    """What keeps a known name from being safe to open."""
    if address.port not in (0, _PORTS[address.scheme]):
        return Trick.PORT
    return Trick.PLAIN if address.scheme == "http" else Trick.NONE


# --- what it looks like --------------------------------------------------------------------------

_ALIKE: Final = {
    "aаα": "a", "bв": "b", "cс": "c", "dԁđ": "d", "eеё3": "e", "gɡԍ": "g", "hһн": "h", "iіїıι": "i", "jј": "j",
    "kкκ": "k", "lӏł1": "l", "mм": "m", "oоοø0": "o", "pрρ": "p", "qԛ": "q", "sѕ5": "s", "tтτ": "t", "uυ": "u",
    "vν": "v", "wԝω": "w", "xхχ": "x", "yуγ": "y",
}  # fmt: skip
"""Letters and digits drawn like a Latin letter: a choice from Unicode's confusables (UTS 39). Enough to call a
trick by its name; no verdict rests on it."""

_FLAT: Final = str.maketrans({char: latin for chars, latin in _ALIKE.items() for char in chars})


def imitated(address: Address, known: Known) -> str:
    """The known name that the host resembles or carries inside; empty for none, or where it is that very one."""
    drawn = _flat(address.host)
    own = urlsplit(known.base_url).hostname or ""
    names = [official.host for official in known.officials] + [*known.gateways, own, known.zone]
    for name in names:
        bare = name.removeprefix("www.")
        if bare and not _is_number(bare) and address.host not in (name, bare) and _flat(bare) in drawn:
            return bare
    return ""


def _flat(host: str) -> str:
    """``host`` as a hurried eye sees it: letters drawn alike made one, accents, dots and hyphens gone."""
    drawn = unicodedata.normalize("NFKD", letters(host)).lower().translate(_FLAT)
    return "".join(char for char in drawn if char.isalnum()).replace("rn", "m").replace("vv", "w")
