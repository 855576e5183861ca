"""Messages in one piece: taken by their bytes where they are plain, left to the parser where anything is odd."""

import pytest

from bot.whole import LANE_LIMIT, Answers, Heads

PLAIN = b"POST /hook HTTP/1.1\r\nHost: x\r\nX-Secret: s3cret\r\nContent-Length: 2\r\n\r\n{}"


class Lane:
    """Admits what carries the secret, and counts how often it was asked."""

    path = b"/hook"

    def __init__(self) -> None:
        self.asked = 0

    def admits(self, headers: list[tuple[bytes, bytes]]) -> bool:
        self.asked += 1
        return (b"x-secret", b"s3cret") in headers

    async def serve(self, body: bytes) -> tuple[int, bytes]:
        return 200, body


def test_a_plain_request_is_known_by_its_head() -> None:
    lane = Lane()
    heads = Heads(lane)
    assert heads.body(PLAIN) == b"{}"
    assert heads.body(PLAIN.replace(b"{}", b"[]")) == b"[]"
    assert lane.asked == 1
    assert heads.body(PLAIN.replace(b"Length: 2", b"Length: 3") + b" ") == b"{} "
    assert lane.asked == 2


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(PLAIN[:-1], id="cut short"),
        pytest.param(PLAIN + b"POST", id="more after it"),
        pytest.param(PLAIN[:30], id="within its head"),
        pytest.param(PLAIN.partition(b"\r\n\r\n")[0], id="no end of its head"),
        pytest.param(PLAIN.replace(b"s3cret", b"guess"), id="not admitted"),
        pytest.param(PLAIN.replace(b"/hook", b"/hook?a"), id="another address"),
        pytest.param(PLAIN.replace(b"POST", b"GET"), id="another method"),
        pytest.param(PLAIN.replace(b"1.1", b"1.0"), id="HTTP/1.0"),
        pytest.param(PLAIN.replace(b"Host", b"Content-Length: 2\r\nHost"), id="two lengths"),
        pytest.param(PLAIN.replace(b"Host", b"Content-Length: 3\r\nHost"), id="two lengths that differ"),
        pytest.param(PLAIN.replace(b"Host", b"X-Secret: s3cret\r\nHost"), id="a field twice"),
        pytest.param(PLAIN.replace(b"Host", b"Transfer-Encoding: chunked\r\nHost"), id="chunked"),
        pytest.param(PLAIN.replace(b"Host", b"Connection: close\r\nHost"), id="the last one"),
        pytest.param(PLAIN.replace(b"Host", b"Expect: 100-continue\r\nHost"), id="expects a word before"),
        pytest.param(PLAIN.replace(b"Host", b"Upgrade: h2c\r\nHost"), id="another protocol"),
        pytest.param(PLAIN.replace(b"Host:", b"Host :"), id="a space before the colon"),
        pytest.param(PLAIN.replace(b"Host:", b" Host:"), id="a folded line"),
        pytest.param(PLAIN.replace(b": x\r\n", b": x\n"), id="a bare line feed"),
        pytest.param(PLAIN.replace(b": x\r\n", b": x\0\r\n"), id="a NUL"),
        pytest.param(PLAIN.replace(b"Host: x", b"Host"), id="no colon"),
        pytest.param(PLAIN.replace(b"Length: 2", b"Length: +2"), id="a sign"),
        pytest.param(PLAIN.replace(b"Length: 2", b"Length: " + b"0" * 40 + b"2"), id="a long number"),
        pytest.param(PLAIN.replace(b"Content-Length: 2\r\n", b""), id="no length"),
        pytest.param(
            PLAIN.replace(b"Length: 2", b"Length: %d" % (LANE_LIMIT + 1)) + b" " * (LANE_LIMIT - 1),
            id="too long",
        ),
        pytest.param(b"", id="nothing"),
    ],
)
def test_anything_else_is_the_parsers(data: bytes) -> None:
    assert Heads(Lane()).body(data) is None


def test_many_heads_are_not_kept_for_ever() -> None:
    lane = Lane()
    heads = Heads(lane)
    for length in range(5000):
        assert (
            heads.body(PLAIN.replace(b"Length: 2", b"Length: %d" % length)[:-2] + b"x" * length)
            == b"x" * length
        )
    heads.body(PLAIN)
    assert lane.asked == 5001  # 2 was forgotten and asked again


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: Application/JSON; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}"


def test_a_plain_answer_is_read() -> None:
    answers = Answers()
    assert answers.read(ANSWER) == (200, b"{}", "application/json")
    assert answers.read(ANSWER.replace(b"{}", b"[]")) == (200, b"[]", "application/json")
    assert answers.read(ANSWER.replace(b"200 OK", b"429 Too Many Requests")) == (
        429,
        b"{}",
        "application/json",
    )
    assert answers.read(b"HTTP/1.1 500 \r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n") == (
        500,
        b"",
        "",
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(ANSWER[:-1], id="cut short"),
        pytest.param(ANSWER + b"H", id="more after it"),
        pytest.param(ANSWER.replace(b"200 OK", b"100 Continue"), id="not the last word"),
        pytest.param(ANSWER.replace(b"200 OK", b"204 No Content"), id="no body by its status"),
        pytest.param(ANSWER.replace(b"200 OK", b"2000"), id="no status"),
        pytest.param(ANSWER.replace(b"1.1", b"1.0"), id="HTTP/1.0"),
        pytest.param(
            ANSWER.replace(b"Content-Type", b"Content-Encoding: gzip\r\nContent-Type"), id="encoded"
        ),
        pytest.param(ANSWER.replace(b"Content-Type", b"Connection: close\r\nContent-Type"), id="closing"),
        pytest.param(
            ANSWER.replace(b"Content-Type", b"Transfer-Encoding: chunked\r\nContent-Type"), id="chunked"
        ),
        pytest.param(b"", id="nothing"),
    ],
)
def test_any_other_answer_is_the_parsers(data: bytes) -> None:
    assert Answers().read(data) is None
