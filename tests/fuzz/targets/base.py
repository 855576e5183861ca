"""What a target is: a parser, what it is fed, and what must hold whatever it is fed.

A target knows no engine. `tests.fuzz.test_targets` feeds it what Hypothesis makes up, `tests.fuzz.guided` what a
mutator makes of bytes as coverage grows; both call `Target.check`, which raises where a promise is broken.
"""

import abc
import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from functools import cache
from itertools import pairwise
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

import structlog
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

CIVIL_ID: Final = "285011500029"
PASSPORT: Final = "A1234567"
PHONE: Final = "+96550001234"
NAME: Final = "سالم المطيري"
TOKEN: Final = "123456:AAH-canary-t0ken"
PERSONAL: Final = (CIVIL_ID, PASSPORT, PHONE, NAME, TOKEN)
"""Stand in what is fed; none of them may stand in a log line or in an error's text."""

ROUNDS: Final = 400
"""Turns of the loop after which something that was to end by itself hangs."""

NASTY: Final = (
    "", " ", "\x00", "\ufeff", "\u202e\u200f", "²", "١٢٣", "፩/3/2027", "\u19da", "\U00010a40", "1/1/" + "9" * 30, "9" * 5000,
    "-1", "1e400", "NaN", "'--", "{{7*7}}", "%00", "%", "{n}", "{", "https://[", "http://[::1", "//", "/", "/start", "/start x",
    "/language xx", "www.", "a@b", "🙂", "ـــ", "ﷺ" * 300, "e\u0301" * 600, "x" * 10_000, "١-١", "0-0", "\u2028", "\ud800",
    "12/03/2027", "٢٠٢٧-٠٣-١٢", "12 مارس 2027", "850.500 د.ك", "1 3", "نعم", "pay", *PERSONAL,
)  # fmt: skip
"""Texts that have broken somebody's parser before, and such as are meant."""

T = TypeVar("T")
R = TypeVar("R")


class Broken(AssertionError):
    """A promise does not hold."""


def hold(promise: object, said: str) -> None:
    """Insist on ``promise``; unlike ``assert`` also under ``-O``."""
    if not promise:
        raise Broken(said)


class Target(abc.ABC, Generic[T]):
    """Something that strangers can send to.

    Attributes:
        name: by which it is asked for.
        about: what is fed and what must hold, in a line.
        modules: whose lines count as covered.
        examples: how many Hypothesis makes up in continuous integration.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    modules: ClassVar[tuple[str, ...]]
    examples: ClassVar[int] = 100

    @abc.abstractmethod
    def inputs(self) -> SearchStrategy[T]:
        """Inputs of about the right form."""

    @abc.abstractmethod
    def raw(self, data: bytes) -> T:
        """An input out of any bytes."""

    @abc.abstractmethod
    def feed(self, given: T) -> None:
        """Feed it; raise `Broken` where a promise does not hold. Whatever else escapes is a finding, too."""

    def check(self, given: T) -> None:
        """`feed`, with an ear on what is logged meanwhile."""
        with Quiet() as quiet:
            self.feed(given)
        quiet.insist()


# --- what is said meanwhile -----------------------------------------------------------------------


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


class Quiet:
    """Collects what is logged while the block runs: our lines and the libraries'."""

    def __init__(self) -> None:
        self._lines = _Lines()
        self._own: list[Any] = []
        self._before: list[Any] = []

    def __enter__(self) -> Self:
        self._processors: list[Any] = list(structlog.get_config()["processors"])
        self._before, kept = list(self._processors), structlog.get_config()["processors"]
        kept[:] = [self._keep]
        logging.getLogger().addHandler(self._lines)
        return self

    def __exit__(self, *_: object) -> None:
        structlog.get_config()["processors"][:] = self._before
        logging.getLogger().removeHandler(self._lines)

    def _keep(self, _logger: Any, level: str, line: Any) -> Any:
        self._own.append((level, dict(line)))
        raise structlog.DropEvent

    def insist(self) -> None:
        """Nothing personal in it, and no traceback."""
        said = [repr(line) for line in self._own] + self._lines.said
        for line in said:
            hold("Traceback" not in line, f"a traceback in the log: {line[-300:]}")
            for personal in PERSONAL:
                hold(personal not in line, f"personal in the log: {line[:300]}")


def spotless(error: BaseException) -> None:
    """Insist that an error of ours quotes nobody, and drags no error along that would be printed with it."""
    hold(not any(each in f"{error!r} {error}" for each in PERSONAL), f"personal in {type(error).__name__}")


# --- a loop ---------------------------------------------------------------------------------------


class Loop:
    """An event loop of a target's own; what it would only have logged is raised."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wrong: list[str] = []

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Run ``work`` to its end."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._loop.set_exception_handler(self._noted)
        self._wrong.clear()
        done = self._loop.run_until_complete(work)
        hold(not self._wrong, f"in the loop: {self._wrong}")
        return done

    def _noted(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._wrong.append(f"{context.get('message')} {context.get('exception')!r}")

    def close(self) -> None:
        """Close it."""
        if self._loop is not None:
            self._loop.close()
            self._loop = None


LOOP: Final = Loop()
"""One for all targets: they run one after the other."""


async def settle(done: Any, rounds: int = ROUNDS) -> bool:
    """Let the loop turn until ``done()``; False where it never was."""
    for _ in range(rounds):
        if done():
            return True
        await asyncio.sleep(0)
    return bool(done())


async def ended(work: Awaitable[R]) -> R:
    """What ``work`` comes to, which waits for nothing outside."""
    async with asyncio.timeout(30):
        return await work


# --- strategies -----------------------------------------------------------------------------------


@cache  # a strategy costs more to make than to draw from
def texts(most: int = 60) -> SearchStrategy[str]:
    """Texts: nasty ones, digits of every script, anything. No halves of surrogate pairs: no channel brings them."""
    return st.one_of(
        st.sampled_from([text for text in NASTY if text != "\ud800"]),
        st.text(alphabet=st.characters(categories=["Nd", "No", "Nl"]), max_size=20),
        st.text(alphabet="0123456789٠١٢٣٤٥٦٧٨٩/-. ", max_size=24),
        st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=most),
    )


@cache
def values(leaves: int = 8) -> SearchStrategy[Any]:
    """What JSON can say."""
    plain = st.one_of(
        st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), texts(20)
    )  # fmt: skip
    return st.recursive(
        plain,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=leaves,
    )


NESTED: Final = (b"[" * 12_000, b'{"a":' * 12_000)
"""Deeper than any parser goes by recursion."""


@st.composite
def garbled(draw: st.DrawFn, whole: SearchStrategy[bytes]) -> bytes:
    """Bytes of ``whole``, now and then with something cut off, doubled, changed or put in between."""
    data = bytearray(draw(whole))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2, 4]))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 4)):
            case 0:
                del data[at:]
            case 1:
                data[at:at] = draw(st.binary(max_size=8))
            case 2:
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case 3:
                data[at:at] = data[at : at + draw(st.integers(1, 40))]
            case _:
                data[at:at] = draw(
                    st.sampled_from([*NESTED, b"\x00", b"\xff", b"\xed\xa0\x80", b"\r\n", b"9" * 5000])
                )
    return bytes(data)


@st.composite
def cut(draw: st.DrawFn, whole: SearchStrategy[bytes], most: int = 4) -> tuple[bytes, ...]:
    """Bytes of ``whole`` in pieces, as a connection may bring them."""
    data = draw(whole)
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=most)))
    edges = [0, *places, len(data)]
    return tuple(data[start:end] for start, end in pairwise(edges))
