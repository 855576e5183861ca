"""Hypothesis strategies of HTTP requests, as bytes on the wire: whatever a client library would not send, too."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from tests.fuzz.seeds import Seeds, enciphered
from tests.payments.counterparts import myfatoorah_webhooks, tap

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
KINDS: Final = (
    "application/json", "application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-16",
    "multipart/form-data; boundary=x", "multipart/form-data", "image/png", "", ";", "application/x-www-form-urlencoded;" * 50,
)  # fmt: skip
HOSTS: Final = ("", "evil.example", "[", "a" * 300, "iqamati.example:99999", "\xff")
SPECIAL: Final = (
    "",
    "..",
    "%00",
    "%ff",
    "%",
    "%2e%2e%2f",
    "\u202e",
    "ا",
    "0",
    "-1",
    "9" * 40,
    "A" * 5000,
    "'--",
    "{{7*7}}",
)
"""Values that have broken somebody's parser before."""


Door = tuple[str, list[str], list[str]]
"""A route's path, addresses of it, and its methods."""


@dataclass(frozen=True)
class Wire:
    """A request as bytes.

    Attributes:
        route: path of the route it was made for.
        head: request line and headers.
        body: what follows.
        cut: bytes of all that are sent before the client hangs up; -1 for all, and the answer is read.
    """

    route: str
    head: bytes
    body: bytes
    cut: int = -1


def _texts() -> st.SearchStrategy[str]:
    return st.one_of(
        st.sampled_from(SPECIAL), st.text(max_size=40), st.text(alphabet="0123456789abcdefIQ-_.", max_size=60)
    )


JSON: Final = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _texts()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_texts(), inner, max_size=4)),
    max_leaves=12,
)


def _sent(seeds: Seeds) -> st.SearchStrategy[Any]:
    """What the web chat posts, give or take."""
    return st.fixed_dictionaries(
        {"client": st.one_of(_texts(), st.from_regex(r"\A[A-Za-z0-9_-]{8,64}\Z"))},
        optional={
            "text": st.one_of(_texts(), st.sampled_from(seeds.words), st.just("285011500029"), st.none()),
            "press": st.one_of(_texts(), st.sampled_from(["home/menu/violations/1", "/menu", "a/b/c/d/e"])),
            "source": st.one_of(_texts(), st.just("1-1")),
            "sent": st.one_of(_texts(), st.sampled_from(["photo", "voice", "document"])),
            "missing": st.one_of(_texts(), st.just("large")),
            "name": _texts(),
        },
    )


def _update() -> st.SearchStrategy[Any]:
    """What Telegram brings, give or take."""
    chat = {"id": 5, "type": "private", "first_name": "x"}
    message = st.fixed_dictionaries(
        {"message_id": st.integers(), "date": st.integers(), "chat": st.one_of(st.just(chat), JSON)},
        optional={
            "text": _texts(),
            "from": st.one_of(st.just({"id": 5, "is_bot": False, "first_name": "x"}), JSON),
        },
    )
    return st.fixed_dictionaries(
        {"update_id": st.one_of(st.integers(), JSON)},
        optional={"message": st.one_of(message, JSON), "callback_query": JSON, "my_chat_member": JSON},
    )


def _charge() -> st.SearchStrategy[Any]:
    """A charge or invoice as an aggregator names its parts, give or take."""
    value = st.one_of(_texts(), JSON)
    inner = st.dictionaries(
        st.sampled_from(["Id", "Status", "PaymentId", "ExternalIdentifier", "ValueInBaseCurrency", "order", "gateway",
                         "payment", "created", "transaction", "track", "code"]), value)  # fmt: skip
    return st.dictionaries(
        st.sampled_from(["id", "object", "amount", "currency", "status", "reference", "transaction", "response", "Invoice",
                         "InvoiceId", "Transaction", "Amount", "Refund", "Event", "EventType", "Data", "order", "payment",
                         "result", "trackId", "paymentId", "signature", "mac"]),
        st.one_of(value, inner))  # fmt: skip


@st.composite
def _body(draw: st.DrawFn, seeds: Seeds) -> tuple[bytes, dict[str, str]]:
    """A body, and the headers that go with it."""
    match draw(st.integers(0, 9)):
        case 0:
            return b"", {}
        case 1:
            return draw(st.binary(max_size=400)), {"Content-Type": draw(st.sampled_from(KINDS))}
        case 2:
            size = draw(st.sampled_from([1, 4096, 64 * 1024, 64 * 1024 + 1, 200_000]))
            return draw(st.sampled_from([b"a", b"[", b"\xff", b'{"a":'])) * size, {
                "Content-Type": "application/json"
            }
        case 3:
            return _posted(draw, seeds)
        case 4:
            return _json(draw(_update())), {"X-Telegram-Bot-Api-Secret-Token": seeds.secret}
        case 5:
            charge = draw(_charge())
            signed = {}
            if draw(st.booleans()):
                try:
                    signed = {"hashstring": tap.signature(charge)}
                except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
                    signed = {"hashstring": "0" * 64}
            return _json(charge), {"Content-Type": "application/json", **signed}
        case 6:
            return _webhook(draw(_charge()), draw(st.integers(1, 2)), draw(st.sampled_from(["v1", "v2"])))
        case 7:
            text = draw(st.one_of(_texts(), st.dictionaries(_texts(), _texts()).map(urlencode)))
            return enciphered(_clean(text)).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
        case 8:
            names = st.sampled_from(
                ["trandata", "paymentid", "ErrorText", "digits", "number", "token", "lang", "code"]
            )
            pairs = draw(st.lists(st.tuples(names, _texts().map(_clean)), max_size=6))
            return urlencode(pairs).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
        case _:
            return _json(draw(JSON)), {"Content-Type": draw(st.sampled_from(KINDS))}


def _posted(draw: st.DrawFn, seeds: Seeds) -> tuple[bytes, dict[str, str]]:
    """What the web chat's page posts: words, or a file."""
    ours = {"X-Requested-With": "iqamati"}
    if draw(st.booleans()):
        return _json(draw(_sent(seeds))), ours | {"Content-Type": "application/json"}
    name = st.one_of(_texts().map(_clean).map(quote), _texts().map(_line))
    client = st.one_of(_texts().map(_line), st.just("f-0123456789"))
    content = st.one_of(st.binary(max_size=400), st.just(b"PK\x03\x04[Content_Types].xml"))
    kind = st.sampled_from(["application/octet-stream", *KINDS])
    return draw(content), ours | {
        "Content-Type": draw(kind),
        "X-Client": draw(client),
        "X-File-Name": draw(name),
    }


def _webhook(data: dict[str, Any], event: int, version: str) -> tuple[bytes, dict[str, str]]:
    try:
        return myfatoorah_webhooks.webhook(data, event, version)
    except (LookupError, TypeError, ValueError, AttributeError):
        return _json({"Data": data, "Event": event}), {"myfatoorah-signature": "x"}


@st.composite
def wires(draw: st.DrawFn, seeds: Seeds, doors: Sequence[Door], host: str) -> Wire:
    """A request to one of ``doors``; most of them by a method it knows, under its own host."""
    route, made, methods = draw(st.sampled_from(doors))
    template = draw(st.sampled_from(made))
    known = [path for path in seeds.paths if path.split("/")[1:2] == template.split("/")[1:2]]
    target = (
        draw(st.sampled_from([*known, template])) if draw(st.booleans()) else _filled(draw, template, seeds)
    )
    if draw(st.integers(0, 9)) == 7:
        target += draw(st.sampled_from(["/", "//", "/../", "/return", "%2f", ";x", "\\"]))
    if draw(st.booleans()):
        names = st.sampled_from(
            ["lang", "n", "v", "after", "state", "code", "trandata", "paymentid", "iss", "error"]
        )
        target += "?" + urlencode(draw(st.lists(st.tuples(names, _texts().map(_clean)), max_size=4)))
    body, kind = draw(_body(seeds))
    method = draw(st.sampled_from([*methods * 12, *METHODS]))
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: {draw(st.sampled_from([host] * 60 + list(HOSTS)))}",
        "Connection: close",
    ]
    lines += [f"{name}: {value}" for name, value in {**kind, **_headers(draw, seeds)}.items()]
    if draw(st.booleans()) and body:
        lines.append("Transfer-Encoding: chunked")
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    elif body or method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    cut = draw(st.integers(0, len(head) + len(body))) if draw(st.integers(0, 24)) == 7 else -1
    return Wire(route, head, body, cut)


def _filled(draw: st.DrawFn, template: str, seeds: Seeds) -> str:
    part = st.one_of(st.sampled_from(seeds.words), _texts().map(lambda text: quote(_clean(text), safe="%")))
    return "/".join(draw(part) if "t" * 32 in piece else piece for piece in template.split("/"))


def _headers(draw: st.DrawFn, seeds: Seeds) -> dict[str, str]:
    value = _texts().map(_line)
    cookies = [
        f"iq_chat={seeds.cookie}",
        f"iq_chat={seeds.cookie}x",
        "iq_chat=.",
        "iq_chat=%ff.%ff",
        "=",
        ";" * 99,
    ]
    given = {
        "Cookie": st.one_of(st.sampled_from(cookies), value),
        "Accept": st.sampled_from(["text/html", "*/*", ""]),
        "Accept-Language": value,
        "Origin": st.one_of(st.just("null"), value),
        "Sec-Fetch-Site": st.sampled_from(["same-origin", "none", "cross-site", ""]),
        "Sec-Fetch-Mode": st.sampled_from(["navigate", "cors"]),
        "X-Forwarded-For": value,
        "X-Forwarded-Proto": value,
        "X-Requested-With": st.just("iqamati"),
        "Last-Event-ID": st.one_of(st.just("1-1"), value),
        "Range": st.sampled_from(["bytes=0-1", "bytes=-"]),
        "If-Modified-Since": value,
        "Accept-Encoding": st.sampled_from(["gzip", "identity", "x"]),
        "Expect": st.just("100-continue"),
        "hashstring": value,
        "myfatoorah-signature": value,
        "X-Iqamati-Signature": value,
    }
    names = draw(st.lists(st.sampled_from(sorted(given)), max_size=5, unique=True))
    return {name: draw(given[name]) for name in names}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


def _clean(text: str) -> str:
    """``text`` without halves of surrogate pairs, which no encoder takes."""
    return text.encode("utf-8", "replace").decode()


def _line(text: str) -> str:
    return "".join(char for char in text if char not in "\r\n\0")
