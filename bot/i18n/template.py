"""Templates: a catalogue's text, read once for its marks and placeholders."""

import re
from typing import Final

import msgspec

_TOKENS: Final = re.compile(r"\{(\w+)\}|\*|`")


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """Part of a compiled template: literal text, or the placeholder ``name``; with its style."""

    style: str
    text: str = ""
    name: str = ""


Template = tuple[Piece, ...]


def compile_template(source: str) -> Template:
    """Split ``source`` into literals and placeholders, with ``*bold*`` and `` `code` `` read once."""
    pieces: list[Piece] = []
    style: str = ""
    at = 0
    for token in _TOKENS.finditer(source):
        if token.start() > at:
            pieces.append(Piece(style, source[at : token.start()]))
        at = token.end()
        if token[1]:
            pieces.append(Piece(style, name=token[1]))
        else:
            style = _toggled(style, "b" if token[0] == "*" else "code")
    if at < len(source):
        pieces.append(Piece(style, source[at:]))
    return tuple(pieces)


def _toggled(style: str, mark: str) -> str:
    return "" if style == mark else mark
