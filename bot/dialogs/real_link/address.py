"""Links in what people paste, read the way a browser would read them, so that a disguise does not work on us.

Source: the WHATWG URL Standard (url.spec.whatwg.org, read 2026-11): what ends the host, what is dropped, how a
host is mapped. Only what tells links apart is kept of one: never its query, which may hold somebody's data.
"""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

import msgspec

LONGEST: Final = 160
"""Characters of a path that are kept; ours are shorter."""
MOST: Final = 20
"""Links of one message that are looked at."""
_HOST_LENGTH: Final = 253
"""Longest host name (RFC 1035, 2.3.4)."""


class Address(msgspec.Struct, frozen=True, array_like=True):
    """A link, without what is nobody's business.

    Attributes:
        scheme: ``https``, ``http``, empty where none was written, or whatever else it begins with.
        host: in lower-case ASCII (``xn--…`` for other letters); empty where a browser would refuse it.
        port: 0 for none written.
        path: with its first slash, at most `LONGEST` characters.
        disguised: something stands before an ``@`` in front of the host.
    """

    scheme: str = ""
    host: str = ""
    port: int = 0
    path: str = ""
    disguised: bool = False


_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.\-]{1,19}:[/\\]+", re.IGNORECASE)
_OPAQUE: Final = re.compile(r"(?:https?|javascript|data|vbscript|intent|file):", re.IGNORECASE)
_AROUND: Final = ".,!?:;'\"*_`()[]{}<>«»“”„|…؟،؛"
"""What people and apps put around a link. Inside one it stays: a quote or an angle may be part of a disguise."""
_BARE: Final = re.compile(
    r"(?:[^\s/\\?#@]*@)?[\w\-]+(?:\.[\w\-]+)*\.([^\W\d_]{2,24})\.?(?::\d{1,5})?(?P<rest>[/\\?#].*)?"
)
_ENDINGS: Final = frozenset([
    "kw", "com", "net", "org", "info", "biz", "co", "app", "link", "me", "io", "cc", "ly", "top", "xyz",
    "live", "click", "site", "online", "store", "shop", "club", "vip", "icu", "pro", "page", "web", "dev",
    "name", "mobi", "world", "today", "support", "help", "services", "finance", "money", "bank", "credit",
    "gov", "int", "sa", "ae", "qa", "bh", "om", "eg", "in", "ph", "bd", "pk", "lk", "np", "us", "uk", "ru",
    "cn", "tv", "ai", "tk", "ml", "ga", "cf", "gq", "gl", "gg", "to", "su",
])  # fmt: skip
"""Last parts after which a name without ``https://`` is taken for a link in the middle of a message."""
_HOST: Final = re.compile(r"[a-z0-9_\-]+(?:\.[a-z0-9_\-]+)*")
_DOTS: Final = str.maketrans("。．｡", "...")


def find(text: str, *, asked: bool = False) -> tuple[Address, ...]:
    """The links in ``text``, in order.

    Args:
        text: what was written.
        asked: a link was asked for: any name with a dot in it counts.
    """
    found: list[Address] = []
    for token in _visible(text).split():
        if len(found) < MOST and (link := _link(token, asked=asked)):
            found.append(read(link))
    return tuple(found)


def _visible(text: str) -> str:
    """``text`` without what cannot be seen: bidi marks, joiners, soft hyphens. Browsers drop or refuse them."""
    return "".join(char for char in text if unicodedata.category(char) != "Cf")


def _link(token: str, *, asked: bool) -> str:
    """The part of a word that is a link, or nothing."""
    if begin := _SCHEME.search(token) or _OPAQUE.search(token):
        return token[begin.start() :].rstrip(_AROUND)
    word = unicodedata.normalize("NFKC", token.translate(_DOTS)).strip(_AROUND)
    bare = _BARE.fullmatch(word)
    if bare is None or (word.find("@") > 0 and not bare["rest"]):  # an e-mail address
        return ""
    known = bare[1].lower() in _ENDINGS or word.lower().startswith("www.")
    return word if known or bare["rest"] or asked else ""


def read(link: str) -> Address:
    """What a browser makes of ``link``."""
    scheme, rest = "", link
    if begin := _SCHEME.match(link) or _OPAQUE.match(link):
        scheme = begin[0].partition(":")[0].lower().replace("hxxp", "http")
        rest = link[begin.end() :].lstrip("/\\")
    authority = re.split(r"[/\\?#]", rest, maxsplit=1)[0]
    tail = rest[len(authority) :]
    path = _path(re.split(r"[?#]", tail, maxsplit=1)[0])
    user, at, place = authority.rpartition("@")
    host, port = _placed(place)
    return Address(scheme, host, port, path, disguised=bool(at or user))


def _path(text: str) -> str:
    """A path as it is asked for in the end: percent signs, backslashes and dot segments resolved."""
    kept: list[str] = []
    for part in unquote(text).replace("\\", "/").split("/"):
        if part == "..":
            kept = kept[:1] if len(kept) < 2 else kept[:-1]  # noqa: PLR2004 - the first stands before the slash
        elif part != ".":
            kept.append(part)
    return "/".join(kept)[:LONGEST]


def _placed(place: str) -> tuple[str, int]:
    """Host and port; no host where a browser would refuse one of them."""
    if place.startswith("["):
        name, _, port = place[1:].partition("]")
        name = f"[{name.lower()}]" if re.fullmatch(r"[0-9a-fA-F:.]+", name) else ""
        port = port.removeprefix(":")
    else:
        name, _, port = place.partition(":")
        name = host_name(name)
    if port and not (port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65535):  # noqa: PLR2004 - the highest port
        return "", 0
    return name, int(port or 0)


def host_name(text: str) -> str:
    """A host name in lower-case ASCII: percent signs, wide letters and dots resolved; empty when it is none."""
    name = unicodedata.normalize("NFKC", unquote(text).translate(_DOTS)).lower()
    labels = _visible(name).removesuffix(".").split(".")
    try:
        ascii_only = ".".join(
            label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels
        )
    except UnicodeError:
        return ""
    return ascii_only if len(ascii_only) <= _HOST_LENGTH and _HOST.fullmatch(ascii_only) else ""


def letters(host: str) -> str:
    """``host`` as it would be drawn: ``xn--…`` parts in their own letters."""
    return ".".join(_drawn(label) for label in host.split("."))


def _drawn(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label.removeprefix("xn--").encode().decode("punycode")
    except UnicodeError:
        return label
