"""HTTP/1.1 messages that arrive in one piece: told by the bytes of their heads, without a parser's callbacks.

A parser calls back for each line of each head; a channel's server sends the same head time and again, but for the
length of what follows (docs/performance.md has the figures). What is not exactly one whole, plain message goes to the
parser, which alone judges what is malformed.
"""

import re
from typing import Final, Protocol

HEAD_LIMIT: Final = 64 * 1024
"""Bytes of a request's line and headers that are read at most."""

LANE_LIMIT: Final = 1 << 20
"""Bytes of a body on a lane."""

DIGITS: Final = 9
"""More in a ``Content-Length`` is too long, whatever it says."""

_KNOWN: Final = 512
"""Heads that are remembered: they differ by their lengths and, where they have a date, by the second."""

_LINE: Final = re.compile(rb"\r\n([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n\0]*?)[ \t]*(?=\r\n|\Z)")
"""A field line (RFC 9112, section 5); each begins at a line's end, so that as many as there are ends are all of them."""

_FRAMING: Final = frozenset(
    (b"transfer-encoding", b"content-encoding", b"upgrade", b"expect", b"trailer", b"te")
)
"""Fields that change how a message is read (RFC 9110, sections 7.6, 8.4 and 10.1)."""

_ANSWER: Final = re.compile(rb"HTTP/1\.1 ([2-5]\d\d)(?: [^\r\n\0]*)?(?=\r\n)")
_BARE: Final = frozenset((204, 304))
"""They have no body, whatever their heads say (RFC 9112, section 6.3)."""


def _fields(head: bytes, start: int) -> tuple[int, dict[bytes, bytes]] | None:
    """``Content-Length`` and all fields of a head from the end of its first line on; None where it is not plain."""
    lines = _LINE.findall(head, start)
    fields = {name.lower(): value for name, value in lines}
    if len(fields) != head.count(b"\r\n", start) or not _FRAMING.isdisjoint(fields):
        return None  # malformed, or a field twice
    length = fields.get(b"content-length", b"")
    if (
        not length.isdigit()
        or len(length) > DIGITS
        or fields.get(b"connection", b"keep-alive").lower() != b"keep-alive"
    ):
        return None
    return int(length), fields


class Lane(Protocol):
    """A route of a server that proves itself in the head of each request, past the application and its guard.

    What does not prove itself, is too long or comes in another form goes the ordinary way, which refuses it.
    """

    @property
    def path(self) -> bytes:
        """Its path; the method is POST."""
        ...

    def admits(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """Whether the request proves whose it is; names are lower case."""
        ...

    async def serve(self, body: bytes) -> tuple[int, bytes]:
        """Status and JSON body (may be empty) of the answer. Never raises."""
        ...


class Heads:
    """Heads that a lane has admitted.

    Args:
        lane: judges each head that was not seen before.
    """

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._lengths: dict[bytes, int] = {}

    def body(self, data: bytes) -> bytes | None:
        """The body where ``data`` is one whole request of the lane's, else None."""
        head, _, body = data.partition(b"\r\n\r\n")
        length = self._lengths.get(head)
        if length is None:
            length = self._length(head)
            if length is None:
                return None
            if len(self._lengths) >= _KNOWN:
                self._lengths.clear()
            self._lengths[head] = length
        return body if len(body) == length else None

    def _length(self, head: bytes) -> int | None:
        """Bytes that follow a head of the lane's; None for one that is the parser's to judge."""
        start, _, _ = head.partition(b"\r\n")
        if start != b"POST %b HTTP/1.1" % self._lane.path or len(head) > HEAD_LIMIT:
            return None
        found = _fields(head, len(start))
        if found is None or found[0] > LANE_LIMIT or not self._lane.admits(list(found[1].items())):
            return None
        return found[0]


class Answers:
    """Heads of one server's answers that were read before."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, int, str]] = {}

    def read(self, data: bytes) -> tuple[int, bytes, str] | None:
        """Status, body and media type where ``data`` is one whole answer after which the connection goes on, else None."""
        head, _, body = data.partition(b"\r\n\r\n")
        known = self._known.get(head)
        if known is None:
            known = _judged(head)
            if known is None:
                return None
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[head] = known
        status, length, media_type = known
        return (status, body, media_type) if len(body) == length else None


def _judged(head: bytes) -> tuple[int, int, str] | None:
    """Status, length of the body and media type."""
    start = _ANSWER.match(head)
    found = _fields(head, start.end()) if start and len(head) <= HEAD_LIMIT else None
    if start is None or found is None or (status := int(start[1])) in _BARE:
        return None
    length, fields = found
    return status, length, media_type(fields.get(b"content-type", b""))


def media_type(value: bytes) -> str:
    """A ``Content-Type`` without parameters, lower case."""
    return value.partition(b";")[0].strip().lower().decode("latin-1")
