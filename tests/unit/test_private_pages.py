"""What all pages share that belong to one person."""

from collections.abc import AsyncIterator, Mapping

import pytest
from starlette.requests import Request
from starlette.types import Message

from bot.handlers.private_pages import body_of, language_of, own_form, secured, token_of

FORM = "application/x-www-form-urlencoded"


def request(
    query: str = "", headers: Mapping[str, str] | None = None, parts: AsyncIterator[bytes] | None = None
) -> Request:
    sent = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/p/t0ken",
        "path_params": {"token": "t0ken"},
        "query_string": query.encode(),
        "headers": sent,
    }

    async def receive() -> Message:
        assert parts is not None
        part = await anext(parts, b"")
        return {"type": "http.request", "body": part, "more_body": bool(part)}

    return Request(scope, receive)


@pytest.mark.parametrize(
    ("query", "own", "shown"),
    [
        ("", "", "ar"),
        ("", "en", "en"),
        ("", "fr", "ar"),
        ("lang=en", "ar", "en"),
        ("lang=fr", "en", "en"),
        ("lang=../en", "", "ar"),
    ],
)
def test_a_page_speaks_as_it_is_asked_to_else_as_its_reader(query: str, own: str, shown: str) -> None:
    assert language_of(request(query), own) == shown


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"content-type": FORM}, True),
        ({"content-type": f"{FORM.upper()}; charset=utf-8", "sec-fetch-site": "same-origin"}, True),
        ({"content-type": FORM, "sec-fetch-site": "cross-site"}, False),
        ({"content-type": FORM, "sec-fetch-site": "same-site"}, False),
        ({"content-type": "text/plain"}, False),
        ({"content-type": "application/json", "sec-fetch-site": "same-origin"}, False),
        ({}, False),
    ],
)
def test_a_form_of_another_site_is_none_of_ours(headers: dict[str, str], *, ours: bool) -> None:
    assert own_form(request(headers=headers)) is ours


async def test_what_is_too_long_is_not_read_to_its_end() -> None:
    read = 0

    async def more() -> AsyncIterator[bytes]:
        nonlocal read
        while read < 9:
            read += 1
            yield b"x" * 10

    async def just() -> AsyncIterator[bytes]:
        yield b"x" * 10
        yield b"y" * 10

    assert await body_of(request(parts=just()), 20) == b"x" * 10 + b"y" * 10
    with pytest.raises(ValueError, match="too long"):
        await body_of(request(parts=more()), 20)
    assert read == 3


def test_nobody_keeps_finds_or_frames_a_page_of_somebody() -> None:
    assert secured("default-src 'none'") == {
        "content-security-policy": "default-src 'none'",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex, nofollow",
        "cache-control": "no-store",
    }
    assert token_of(request()) == "t0ken"
