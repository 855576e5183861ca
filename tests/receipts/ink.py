"""Reading a printed page: which glyphs stand where, and which pixels are dark.

Typst's SVG names each glyph by its outline, so a word set alone by a `Probe` can be looked for on a page:
found means the same shapes (joined letters as joined ones) in the same visual order.
"""

import re
import struct
import xml.etree.ElementTree as ET
import zlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import typst

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
SIZES = (6.5, 7.5, 8.5, 9.5, 10, 11.5, 17)
"""Sizes of type on a receipt, in points: the same letter in another size is another outline."""

Word = tuple[tuple[str, ...], ...]
"""Glyphs from left to right, in each of `SIZES`."""

_MATRIX = re.compile(r"(matrix|translate)\(([^)]*)\)")


@dataclass(frozen=True)
class Glyph:
    """An outline at a place; ``y`` grows downwards, both in points."""

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Found:
    """Where a word begins, at its left."""

    x: float
    y: float


class Sheet:
    """The glyphs and pictures of a page."""

    def __init__(self, svg: bytes) -> None:
        root = ET.fromstring(svg)  # noqa: S314 - our own printer's output
        self.width, self.height = (
            float(root.attrib[side].removesuffix("pt")) for side in ("width", "height")
        )
        self.glyphs: list[Glyph] = []
        self.images: list[tuple[float, float, float]] = []
        self._walk(root, (1, 0, 0, 1, 0, 0))
        self._lines: dict[float, list[Glyph]] = {}
        for glyph in self.glyphs:
            self._lines.setdefault(round(glyph.y, 1), []).append(glyph)
        for line in self._lines.values():
            line.sort(key=lambda glyph: glyph.x)

    def _walk(self, node: ET.Element, at: tuple[float, ...]) -> None:
        if node.tag == f"{_SVG}defs":
            return
        at = _placed(at, node.get("transform", ""))
        x, y = float(node.get("x", 0)), float(node.get("y", 0))
        a, b, c, d, e, f = at
        if node.tag == f"{_SVG}use":
            self.glyphs.append(Glyph(node.attrib[_HREF], a * x + c * y + e, b * x + d * y + f))
        if node.tag == f"{_SVG}image":
            self.images.append((e, f, float(node.attrib["width"])))
        for child in node:
            self._walk(child, at)

    def find(self, word: Word) -> list[Found]:
        """Every place where the glyphs of ``word`` stand side by side, in whatever size."""
        return [
            Found(line[at].x, y)
            for y, line in self._lines.items()
            for glyphs in word
            for at in range(len(line) - len(glyphs) + 1)
            if tuple(glyph.name for glyph in line[at : at + len(glyphs)]) == glyphs
        ]


def _placed(at: tuple[float, ...], transform: str) -> tuple[float, ...]:
    for kind, text in _MATRIX.findall(transform):
        numbers = [float(number) for number in re.split(r"[ ,]+", text.strip())]
        if kind == "translate":
            numbers = [1, 0, 0, 1, *numbers, *[0.0] * (2 - len(numbers))]
        a, b, c, d, e, f = at
        m = numbers
        at = (
            a * m[0] + c * m[1],
            b * m[0] + d * m[1],
            a * m[2] + c * m[3],
            b * m[2] + d * m[3],
            a * m[4] + c * m[5] + e,
            b * m[4] + d * m[5] + f,
        )
    return at


class Probe:
    """Sets one word alone, in the receipt's font and no other."""

    def __init__(self) -> None:
        folder = str(files("fontpkg_ibm_plex_sans_arabic") / "files")
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
        self._compiler = typst.Compiler(font_paths=fonts, ignore_system_fonts=True)
        self._words: dict[tuple[str, str, str], Word] = {}

    def sheet(self, text: str, direction: str, weight: str = "regular", size: float = 10) -> Sheet:
        source = (
            "#set page(width: auto, height: auto, margin: 0pt)\n"
            '#set text(font: "IBM Plex Sans Arabic", fallback: false, hyphenate: false)\n'
            '#set text(dir: if sys.inputs.dir == "rtl" { rtl } else { ltr }, weight: sys.inputs.weight)\n'
            "#box(text(size: float(sys.inputs.size) * 1pt, sys.inputs.text))"
        )
        inputs = {"text": text, "dir": direction, "weight": weight, "size": str(size)}
        made = self._compiler.compile(source.encode(), format="svg", sys_inputs=inputs)
        assert isinstance(made, bytes)
        return Sheet(made)

    def word(self, text: str, direction: str = "ltr", weight: str = "regular") -> Word:
        """``text`` as it looks alone."""
        key = (text, direction, weight)
        if key not in self._words:
            self._words[key] = tuple(self._glyphs(*key, size) for size in SIZES)
        return self._words[key]

    def _glyphs(self, text: str, direction: str, weight: str, size: float) -> tuple[str, ...]:
        glyphs = self.sheet(text, direction, weight, size).glyphs
        return tuple(glyph.name for glyph in sorted(glyphs, key=lambda glyph: glyph.x))


def pixels(png: bytes) -> list[bytes]:
    """Rows of an 8-bit RGBA picture, one byte a pixel: its red, which is enough for black on white."""
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    assert (depth, colour) == (8, 6)
    packed, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        packed += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    raw, stride, above = zlib.decompress(packed), width * 4, bytes(width)
    rows: list[bytes] = []
    for number in range(height):
        start = number * (stride + 1)
        # PNG filters each byte by the one of the same colour before it: red alone is enough.
        above = _unfiltered(raw[start], raw[start + 1 : start + 1 + stride : 4], above)
        rows.append(above)
    return rows


def _unfiltered(kind: int, line: bytes, above: bytes) -> bytes:
    """One colour of one row (PNG specification, 9.2)."""
    out = bytearray()
    left = corner = 0
    for value, up in zip(line, above, strict=True):
        guess: Any = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[kind]
        left, corner = (value + guess) & 255, up
        out.append(left)
    return bytes(out)


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda each: abs(estimate - each))
