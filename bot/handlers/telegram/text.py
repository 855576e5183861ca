"""Our spans and buttons in Telegram's terms: HTML, pieces of a length it takes, inline keyboards."""

from html import escape
from itertools import pairwise
from typing import Final

from bot.errors import Rejected
from bot.handlers.telegram.types import Key, Markup
from bot.model import Button, Span, plain

LIMIT: Final = 4096
"""Characters of one message after its entities are parsed (Bot API, sendMessage, ``text``).

Counted here in UTF-16 units, in which Telegram measures entities: never fewer than the characters.
"""

TOKEN_BYTES: Final = 64
"""Most bytes of ``callback_data`` (Bot API, InlineKeyboardButton)."""

_UNIT: Final = 2  # bytes of one UTF-16 unit
_TAGS: Final = {"b": "b", "code": "code"}

Rows = tuple[tuple[Button, ...], ...]


def html(spans: tuple[Span, ...]) -> str:
    """The spans in the HTML subset of ``parse_mode=HTML``; what people wrote cannot become a tag."""
    return _tagged(spans[0]) if len(spans) == 1 else "".join([_tagged(span) for span in spans])


def pieces(spans: tuple[Span, ...], limit: int = LIMIT) -> list[tuple[Span, ...]]:
    """Cut a long text into messages of at most ``limit`` units, at line ends where there are any."""
    text = spans[0].text if len(spans) == 1 else plain(spans)
    if len(text) * _UNIT <= limit and text.strip():  # no character takes more than two units
        return [spans]
    cuts = [0]
    while (end := cuts[-1] + _fitting(text[cuts[-1] : cuts[-1] + limit], limit)) < len(text):
        start = cuts[-1]
        line, word = text.rfind("\n", start, end) + 1, text.rfind(" ", start, end) + 1
        cuts.append(next(cut for cut in (line, word, end) if cut > start))
    cuts.append(len(text))
    cut = [_slice(spans, start, end) for start, end in pairwise(cuts)]
    # Telegram refuses an empty message; a run of empty lines may leave one between two cuts.
    return [piece for piece in cut if plain(piece).strip()] or [spans]


def keyboard(rows: Rows) -> Markup | None:
    """The inline keyboard of ``rows``, None when there are none.

    Raises:
        Rejected: a button that Telegram would refuse: no action, two, or a token over `TOKEN_BYTES`.
    """
    if not rows:
        return None
    return Markup(tuple(tuple(_button(button) for button in row) for row in rows))


def links_in_text(spans: tuple[Span, ...], rows: Rows) -> tuple[tuple[Span, ...], Rows]:
    """The same message with its link buttons written out below the text, one a line, to be copied."""
    written = tuple(
        span
        for row in rows
        for button in row
        if button.url
        for span in (Span(f"\n\n{button.label}\n"), Span(button.url, "code"))
    )
    left = (tuple(button for button in row if not button.url) for row in rows)
    return spans + written, tuple(row for row in left if row)


def _tagged(span: Span) -> str:
    text = span.text
    if "&" in text or "<" in text or ">" in text:
        text = escape(text, quote=False)
    tag = _TAGS.get(span.style)
    return f"<{tag}>{text}</{tag}>" if tag and text else text


def _button(button: Button) -> Key:
    if bool(button.token) == bool(button.url):
        raise Rejected("a button needs either a token or a link")
    if len(button.token.encode()) > TOKEN_BYTES:
        raise Rejected(f"a button's token is over {TOKEN_BYTES} bytes")
    if button.url:
        return Key(button.label, url=button.url)
    return Key(button.label, callback_data=button.token)


def _fitting(text: str, limit: int) -> int:
    # How many characters of `text` fit; one that would be cut in half stays out.
    return len(text.encode("utf-16-le")[: limit * _UNIT].decode("utf-16-le", "ignore"))


def _slice(spans: tuple[Span, ...], start: int, end: int) -> tuple[Span, ...]:
    found: list[Span] = []
    at = 0
    for span in spans:
        text = span.text[max(0, start - at) : max(0, end - at)]
        if text:
            found.append(Span(text, span.style))
        at += len(span.text)
    return tuple(found)
