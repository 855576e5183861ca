"""The web chat's endpoints as an application, without a socket: posts, files, the stream, cookies, tokens in addresses."""

import contextlib
import json
import re
from collections.abc import Generator
from typing import Any, Final, NamedTuple, cast
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from starlette.applications import Starlette

from bot.handlers.files import Intake
from bot.handlers.guard import Guard
from bot.handlers.refusals import Refusals
from bot.handlers.web import Page, web_routes
from bot.handlers.web.chat import COOKIE
from bot.model import Chat
from bot.services.privacy.export import Exports
from bot.services.receipts.service import Receipts
from tests.fuzz.targets.base import LOOP, NESTED, Target, cut, ended, garbled, hold, texts, values
from tests.fuzz.targets.residents import RENDERER, Clock, Residents, translate
from tests.fuzz.targets.session import KEYRING
from tests.fuzz.targets.telegram import TOKENS, Kept

LIMIT: Final = 4096
"""Bytes of a file here."""
CHAT_TOKEN: Final = "c" * 32
SIGNED: Final = f"{CHAT_TOKEN}.{KEYRING.blind(f'web-cookie:{CHAT_TOKEN}')}"
_ID: Final = re.compile(r"[0-9]{1,18}-[0-9]{1,18}")


class Asked(NamedTuple):
    """A request as the server hands it over; ``whole`` is false where the client hangs up in the body."""

    method: str
    path: str
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: tuple[bytes, ...] = ()
    whole: bool = True


class _Log:
    """Implements `bot.handlers.chat_log.ChatLog` in memory; as Redis does, it takes no id that is none."""

    def __init__(self) -> None:
        self._entries: list[bytes] = []

    async def append(self, _chat: Chat, entry: bytes, *, key: str, drops: str = "") -> str:
        del key
        hold(not drops or _ID.fullmatch(drops), f"no id: {drops!r}")
        json.loads(entry)
        self._entries = [*self._entries[-5:], entry]
        return f"{len(self._entries)}-0"

    async def read(self, _chat: Chat, after: str = "") -> list[tuple[str, bytes]]:
        hold(not after or _ID.fullmatch(after), f"no id: {after!r}")
        return [(f"{number}-0", entry) for number, entry in enumerate(self._entries, 1)]

    @contextlib.contextmanager
    def listen(self, _chat: Chat) -> Generator[Any, None, None]:
        yield self

    async def next(self, _seconds: float) -> str:
        return "closed"

    async def typing(self, _chat: Chat) -> None:
        return


@st.composite
def posts(draw: st.DrawFn) -> Asked:
    """What the page posts, give or take."""
    text = st.one_of(texts(40), values(3))
    sent = st.fixed_dictionaries(
        {"client": st.one_of(st.just("f-0123456789"), st.just("start-012345"), texts(10))},
        optional={
            "text": text,
            "press": st.one_of(st.sampled_from(TOKENS), text),
            "source": st.sampled_from(["1-1", "", "١-١", "1-1\n", "9" * 19 + "-0"]),
            "sent": st.sampled_from(["photo", "document", "x"]),
            "missing": st.sampled_from(["", "large", "x"]),
            "name": texts(40),
            "more": values(3),
        },
    )
    whole = sent.map(lambda made: json.dumps(made, ensure_ascii=False).encode("utf-8", "replace"))
    deep = st.sampled_from(NESTED).map(lambda rest: b'{"client":"f-0123456789","text":"x","x":' + rest)
    return Asked(
        "POST",
        "/chat/send",
        headers=draw(heads(b"application/json")),
        body=draw(cut(st.one_of(garbled(whole), whole, deep))),
    )


@st.composite
def uploads(draw: st.DrawFn) -> Asked:
    """A file as the page sends it, give or take."""
    name = draw(
        st.one_of(
            texts(30).map(lambda text: quote(text, errors="replace")),
            st.sampled_from(["%", "%ff", "%00", "a" * 3000, "..%2f..", "%D9%A1"]),
        )
    )
    head = (
        (b"x-file-name", name.encode("latin-1", "replace")),
        (b"x-client", draw(st.sampled_from([b"f-0123456789", b"", b"\xd9\xa1" * 8]))),
    )
    body = draw(
        cut(
            st.sampled_from(
                [
                    b"285011500029\n",
                    b"",
                    b"PK\x03\x04",
                    b"\xff" * 50,
                    b"a" * (LIMIT + 1),
                    b"\x00" * 9,
                    b"%PDF-",
                ]
            )
        )
    )
    return Asked(
        "POST", "/chat/upload", headers=(*draw(heads(b"application/octet-stream")), *head), body=body
    )


@st.composite
def heads(draw: st.DrawFn, kind: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Headers of a request of the page's, most of them right."""
    cookie = st.sampled_from(
        [f"{COOKIE}={SIGNED}"] * 6
        + [
            f"{COOKIE}={SIGNED}x",
            f"{COOKIE}=.",
            f"{COOKIE}=\xff.\xff",
            "=",
            f"{COOKIE}",
            ";" * 9,
            f"{COOKIE}={'a.' * 900}",
        ]
    )
    odd = st.lists(
        st.tuples(
            st.sampled_from([b"origin", b"host", b"sec-fetch-site", b"content-type", b"content-length", b"x-forwarded-for", b"accept-language", b"last-event-id"]),
            st.sampled_from([b"http://[", b"null", b"//[::1", b"\xff", b"9" * 30, b"-1", b"same-origin", b"cross-site", b"::1%x", b"1.1.1.1, ::g", b"1-1", b"text/html", b"[", b"\xb2-\xb2"]),
        ),
        max_size=2,
    )  # fmt: skip
    right = ((b"host", b"iqamati.example"), (b"x-requested-with", b"iqamati"), (b"content-type", kind))
    return (*right, (b"cookie", draw(cookie).encode("latin-1")), *draw(odd))


@st.composite
def reads(draw: st.DrawFn) -> Asked:
    """The page, its files, the stream."""
    path = draw(
        st.sampled_from(["/", "/chat/events", "/chat/events", "/static/chat.js", "/static/x", "/chat/send"])
    )
    query = draw(
        st.sampled_from(
            [
                "",
                "after=1-1",
                "after=١-١",
                "after=٢-٢&after=x",
                "after=-",
                "lang=en",
                "lang=ar&lang=x",
                "v=%ff",
                "after=%D9%A1-%D9%A1",
                "&&=",
                "after=1-1%0A",
            ]
        )
    )
    return Asked(
        draw(st.sampled_from(["GET", "HEAD", "OPTIONS"])),
        path,
        quote(query, safe="=&%").encode(),
        draw(heads(b"text/html")),
    )


def links() -> SearchStrategy[Asked]:
    """Tokens of receipts, proofs and copies, which are read before anything is asked."""
    made = st.one_of(
        texts(40),
        st.text(alphabet="ABCDEFabcdef0123456789-_=.", max_size=80),
        st.just(KEYRING.seal(b"\x91\xa0", b"x").hex()),
    )
    return made.map(lambda token: Asked("TOKEN", token))


class Web(Target[Asked]):
    """The web chat behind the guard."""

    name = "web"
    about = "requests to the web chat, and tokens of links: below 500, a stream that ends, ids that Redis takes, names that hide nothing"
    modules = (
        "bot.handlers.web.chat",
        "bot.handlers.guard",
        "bot.handlers.address",
        "bot.handlers.files",
        "bot.handlers.refusals",
    )
    examples = 150

    def __init__(self) -> None:
        self._residents = Residents()
        clock = Clock()
        routes = web_routes(
            cast("Any", _Log()),
            self._residents.handle,
            Intake(Kept(), self._residents.awaits, LIMIT),
            KEYRING,
            clock,
            Page(translate, "", "", LIMIT),
            "https://iqamati.example",
        )
        refusals = Refusals(RENDERER.render)
        app = Starlette(routes=routes, exception_handlers=refusals.handlers)
        self._app = Guard(app, refusals, clock, base_url="https://iqamati.example", host="iqamati.example")
        self._receipts: Any = object.__new__(Receipts)
        self._exports: Any = object.__new__(Exports)
        for each in (self._receipts, self._exports):
            each._keyring, each._clock = KEYRING, clock

    def inputs(self) -> SearchStrategy[Asked]:
        hung = st.one_of(posts(), uploads()).map(lambda asked: asked._replace(whole=False))
        return st.one_of(posts(), posts(), uploads(), reads(), hung, links())

    def raw(self, data: bytes) -> Asked:
        """The first byte names the endpoint, the rest is a body, a query or a token."""
        head = (
            (b"host", b"iqamati.example"),
            (b"x-requested-with", b"iqamati"),
            (b"cookie", f"{COOKIE}={SIGNED}".encode()),
        )
        rest = data[1:]
        match (data[:1] or b"\0")[0] % 5:
            case 0 | 1:
                return Asked(
                    "POST", "/chat/send", b"", (*head, (b"content-type", b"application/json")), (rest,)
                )
            case 2:
                name, _, content = rest.partition(b"\n")
                return Asked(
                    "POST",
                    "/chat/upload",
                    b"",
                    (*head, (b"x-client", b"f-0123456789"), (b"x-file-name", name)),
                    (content,),
                )
            case 3:
                return Asked("GET", "/chat/events", rest.replace(b"#", b""), head)
            case _:
                return Asked("TOKEN", rest.decode("latin-1"))

    def feed(self, given: Asked) -> None:
        self._residents.forget()
        if given.method == "TOKEN":
            self._exports._read(given.path)
            self._receipts._linked(given.path)
            self._receipts._proven(given.path)
            return
        status, out = LOOP.run(ended(self._answered(given)))
        hold(200 <= status < 500 or (not given.whole and not status), f"answered {status}")
        hold(b"Traceback" not in out, "a traceback in the answer")
        for event in self._residents.events:
            name = getattr(event, "name", "")
            hold("/" not in name and "\u202e" not in name, f"a name {name!r}")

    async def _answered(self, asked: Asked) -> tuple[int, bytes]:
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": asked.method, "scheme": "http", "path": asked.path,
            "raw_path": asked.path.encode(), "query_string": asked.query, "root_path": "", "headers": list(asked.headers),
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
        }  # fmt: skip
        told = [{"type": "http.request", "body": piece, "more_body": True} for piece in asked.body]
        if asked.whole:
            told.append({"type": "http.request", "body": b"", "more_body": False})
        status, out = 0, b""

        async def receive() -> Any:
            return told.pop(0) if told else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            nonlocal status, out
            status = message.get("status", status)
            out += message.get("body", b"")

        await self._app(scope, receive, send)
        return status, out
