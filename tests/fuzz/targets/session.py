"""What is read back from the store: bytes of our own, of another release, or garbled."""

import contextlib
from typing import Any, Final, NamedTuple, cast

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bot.crypto import Keyring
from bot.engine import awaited, step
from bot.errors import FromNewer, Unreadable
from bot.model import Chat, Elapsed, Event, Pressed, Session, Slow, Typed, Woken
from bot.runtime.deliver import Deliveries
from bot.runtime.entries import Codec, Job
from bot.runtime.wording import word
from bot.spec import Do
from bot.store.parcel import parted
from bot.store.pipe import Pipe
from bot.store.sessions import LOST, Sessions
from bot.tasks import Tasks
from tests.dialogs.data import PAID
from tests.dialogs.places import PLACES, stand
from tests.fuzz.targets.base import LOOP, Target, ended, garbled, hold, texts, values
from tests.fuzz.targets.residents import BOOK, NOON, RENDERER, sent
from tests.fuzz.targets.telegram import TOKENS

KEYRING: Final = Keyring([b"k" * 32], b"i" * 32)
CHAT: Final = Chat("test", "5")


class Stored(NamedTuple):
    """A session as it lies in Redis: what is sealed, what is done to the sealed bytes, what lies beside it."""

    data: bytes
    turn: int = 0
    language: bytes | None = None
    rev: bytes = b"7"


def _good() -> list[bytes]:
    return [
        msgspec.msgpack.encode(stand(language, *place).session)
        for place in PLACES
        for language in ("ar", "en")
    ]


GOOD: Final = _good()
"""A session in every state."""


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A sound session with one value exchanged for another of any kind."""
    session: Any = msgspec.msgpack.decode(draw(st.sampled_from(GOOD)))
    value = draw(
        st.one_of(
            values(4), texts(12), st.sampled_from(["home", "violations", "menu", "owed", "paid", -1, 10**12])
        )
    )
    at = draw(st.integers(0, len(session) - 1))
    if session[4] and draw(st.integers(0, 2)):
        frame = draw(st.sampled_from(session[4]))
        inner = draw(st.integers(0, len(frame) - 1))
        if isinstance(frame[inner], dict) and frame[inner] and draw(st.booleans()):
            frame[inner][draw(st.sampled_from(sorted(frame[inner])))] = value
        else:
            frame[inner] = value
    else:
        session[at] = value
    try:
        return msgspec.msgpack.encode(session)
    except OverflowError:
        return b"\x9a"


class Store(Target[Stored]):
    """Sessions and outbox entries, and the next turn on whatever could be read."""

    name = "session"
    about = "stored bytes: read, left for a newer release, or put aside; the next turn says something; nothing raised"
    modules = (
        "bot.store.sessions",
        "bot.engine.versions",
        "bot.engine.machine",
        "bot.engine.step",
        "bot.runtime.entries",
    )
    examples = 150

    def __init__(self) -> None:
        self._sessions = Sessions(cast("Any", _NoRedis()), KEYRING, "fuzz")
        self._sessions._quarantine = cast("Any", self._aside)
        self._put_aside = 0
        self._row: list[Any] = []
        effects = {
            state.effect
            for dialog in BOOK.dialogs.values()
            for state in dialog.states.values()
            if isinstance(state, Do)
        }
        self._codec = Codec(effects)
        self._deliveries = Deliveries(
            cast("Any", None), self._codec, (), {}, cast("Any", None), cast("Any", None), Tasks()
        )

    async def _loaded(self) -> Session:
        pipe = Pipe(_Redis(self._row))
        self._sessions._pipes._pipes[""] = pipe
        try:
            return (await ended(self._sessions.load(CHAT))).session
        finally:
            pipe.gone = True

    async def _aside(self, **_: Any) -> None:
        self._put_aside += 1

    def inputs(self) -> SearchStrategy[Stored]:
        data = st.one_of(garbled(st.sampled_from(GOOD)), changed(), changed(), st.binary(max_size=40))
        turn = st.sampled_from([0] * 12 + [1, 2, 3])
        language = st.sampled_from([None, b"ar", b"en", b"en", b"hi", b"\xff", b""])
        rev = st.sampled_from([b"7", b"7", b"1795251600", b"x", b"", b"-1", b"9" * 5000])
        return st.builds(Stored, data, turn, language, rev)

    def raw(self, data: bytes) -> Stored:
        return Stored(data)

    def feed(self, given: Stored) -> None:
        for value in (
            given.data,
            given.rev + b" 1-1 5\n" + given.data,
            b"7 1-1 " + given.rev + b"\n" + given.data,
        ):
            with contextlib.suppress(Unreadable):
                hold(b"".join(parted(value)) == value, "parts that are not the whole")
        self._put_aside = 0
        key = f"s:{':'.join(self._sessions.place(CHAT))}"
        sealed = KEYRING.seal(given.data, key.encode())
        match given.turn:
            case 1:
                sealed = sealed[:-1]
            case 2:
                sealed = sealed[:9]
            case 3:
                sealed = given.data
            case _:
                pass
        self._row = [given.rev, sealed, given.language, b"1", b"0", []]
        try:
            session = LOOP.run(self._loaded())
        except FromNewer:
            return
        lost = session.frames == (LOST,)
        hold(lost == bool(self._put_aside), "put aside and yet used, or the other way round")
        _next(session)
        entry = self._deliveries._read("{p001}", given.data)
        hold(
            entry is None or not isinstance(entry.body, Job) or self._codec.effect(entry.body),
            "an entry of no effect",
        )


class _NoRedis:
    def register_script(self, text: str) -> Any:
        return text


class _Redis:
    """A connection of redis-py's as far as `Pipe` takes it over, to a server that gives one answer."""

    def __init__(self, row: list[Any]) -> None:
        self._writer = self
        self.transport = self
        self._answer = _resp(row)
        self._protocol: Any = None

    def get_protocol(self) -> Any:
        return self

    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol

    def write(self, _data: bytes) -> None:
        self._protocol.data_received(self._answer)

    def abort(self) -> None:
        self._protocol.connection_lost(None)

    def connection_lost(self, _error: Exception | None) -> None:
        return


def _resp(value: bytes | list[Any] | None) -> bytes:
    """``value`` as Redis tells it."""
    if value is None:
        return b"$-1\r\n"
    if isinstance(value, bytes):
        return b"$%d\r\n%b\r\n" % (len(value), value)
    return b"*%d\r\n" % len(value) + b"".join([_resp(each) for each in value])


def _next(session: Session) -> None:
    """Whatever was read: the next event is answered, or left to a newer release."""
    address: dict[str, Any] = {"chat": CHAT, "language": "ar"}
    asked = session.frames[-1].asked if session.frames else 0
    events: list[Event] = [
        Typed(id="a", text="285011500029", source="1", **address),
        Typed(id="b", text="/menu", source="1", **address),
        Pressed(id="c", token=TOKENS[0], source="1", **address),
        Elapsed(id="d", asked=asked, **address),
        Slow(id="e", key="1:0", **address),
        Woken(id="f", dialog="checkout", kind="paid", ref="x", data=PAID, **address),
    ]
    awaited(BOOK, session, NOON)
    for event in events:
        try:
            turn = step(BOOK, session, event, NOON)
        except FromNewer:
            return
        for number, reply in enumerate(turn.replies):
            sent(word(reply, str(number), turn.session.language, RENDERER))
        hold(
            not isinstance(event, Typed) or turn.replies or turn.works or not turn.changed, "nothing was said"
        )
        stored = msgspec.msgpack.encode(turn.session)
        again = msgspec.msgpack.encode(msgspec.msgpack.decode(stored, type=Session))
        hold(again == stored, "a session that reads as another one")
