"""Every target, fed with what Hypothesis makes up: a fixed number of inputs, the same ones in continuous integration.

What fuzzing has found is fed again by name, and a parser broken on purpose has to be found.
"""

import json
import logging
from datetime import date
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from bot.handlers.telegram import types, updates
from bot.parse import day
from tests.fuzz import guided
from tests.fuzz.lines import Reached
from tests.fuzz.targets.base import CIVIL_ID, Broken, Quiet, Target
from tests.fuzz.targets.lane import Exchange
from tests.fuzz.targets.readers import READERS, Text
from tests.fuzz.targets.registry import TARGETS
from tests.fuzz.targets.session import GOOD, Stored
from tests.fuzz.targets.sheets import _PLAIN, _SHEET, _XML, CELLS, _repacked
from tests.fuzz.targets.web import SIGNED, Asked
from tests.fuzz.targets.wire import OK, Told

DEEP: Final = b"[" * 12_000
PAGE: Final = (
    (b"host", b"iqamati.example"),
    (b"x-requested-with", b"iqamati"),
    (b"content-type", b"application/json"),
    (b"cookie", f"iq_chat={SIGNED}".encode()),
)


def feed(target: Target[Any], examples: int, *, shrunk: bool = True) -> None:
    """Feed it with the same inputs every time."""

    @seed(0)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink) if shrunk else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(target.inputs())
    def fed(made: Any) -> None:
        target.check(made)

    fed()


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes(name: str) -> None:
    kind = TARGETS[name]
    feed(kind(), kind.examples)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_of_the_guided_search(name: str) -> None:
    target = TARGETS[name]()
    seeds = sorted((guided.CORPUS / name).glob("*"))
    assert seeds
    for found in seeds:
        target.check(target.raw(found.read_bytes()))
    target.check(target.raw(b""))


def _request(path: bytes, number: int, slow: int = 0) -> bytes:
    lines = [b"POST %b HTTP/1.1" % path, b"Host: x", b"X-Secret: s", b"Content-Length: 6"]
    return b"\r\n".join(lines) + b"\r\n\r\nid=%d;%d" % (number, slow)


def _dated() -> bytes:
    """A workbook with a civil ID in a cell that says it is a date."""
    sheet = _XML[_SHEET].replace(b"</sheetData>", f"<row>{CELLS[2]}{CELLS[1]}</row></sheetData>".encode())
    styles = _XML["xl/styles.xml"].replace(b"</cellXfs>", b'<xf numFmtId="14"/></cellXfs>')
    return _repacked(_PLAIN, {_SHEET: sheet, "xl/styles.xml": styles})


FOUND: Final[dict[str, tuple[str, Any]]] = {
    "an update nested without end": ("telegram", (b'{"update_id":1,"message":{"photo":' + DEEP,)),
    "an update whose unknown part is": ("telegram", (b'{"update_id":1,"x":' + DEEP,)),
    "a post nested without end": ("web", Asked("POST", "/chat/send", headers=PAGE, body=(b'{"client":"f-0123456789","text":"x","x":' + DEEP,))),
    "an origin that is no address": (
        "web",
        Asked("POST", "/chat/send", headers=(*PAGE, (b"sec-fetch-site", b"same-origin"), (b"origin", b"http://[")), body=(b"{}",)),
    ),
    "half a body": ("web", Asked("POST", "/chat/send", headers=PAGE, body=(b'{"client":',), whole=False)),
    "an id in Arabic-Indic digits": ("web", Asked("GET", "/chat/events", b"after=%D9%A1-%D9%A1", PAGE)),
    "a press under such an id": (
        "web",
        Asked("POST", "/chat/send", headers=PAGE, body=('{"client":"f-0123456789","press":"/menu","source":"١-١"}'.encode(),)),
    ),
    "a word of ten thousand letters": ("web", Asked("POST", "/chat/send", headers=PAGE, body=(b'{"client":"f-0123456789","text":"' + b"x" * 10_000 + b'"}',))),
    "an answer nested without end": ("wire", Told((b'{"ok":true,"result":' + DEEP,), 200)),
    "a wait in the past": ("wire", Told((b'{"ok":false,"error_code":429,"parameters":{"retry_after":-5}}',), 429)),
    "a wait of ages": ("wire", Told((b'{"ok":false,"error_code":429,"parameters":{"retry_after":1e300}}',), 429)),
    "a head without end": ("wire", Told((b"HTTP/1.1 200 OK\r\nA: ", *(b"a" * 65_536,) * 20))),
    "word of an answer still to come": ("wire", Told((b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK,))),
    "the beginning of another answer": ("wire", Told((OK.replace(b"200 OK", b"201 Created") + b"HTTP/1.1 2",))),
    "requests behind one on the lane": (
        "lane",
        Exchange((_request(b"/telegram/webhook", 0, 9) + _request(b"/other", 1, 3) + _request(b"/other", 2),), (b"id=0", b"id=1", b"id=2")),
    ),
    "a day in digits that are no decimals": ("readers", Text("፩/3/2027", 0)),
    "a day of a year that no calendar has": ("readers", Text("1/1/" + "9" * 30, 0)),
    "an amount of a thousand digits": ("readers", Text("9" * 1000, 0)),
    "a session in a third language": ("session", Stored(GOOD[0].replace(b"\xa2ar", b"\xa2hi"))),
    "a language that is no text": ("session", Stored(b"", 0, b"\xff")),
    "a revision that is no number": ("session", Stored(b"", 0, None, b"x")),
    "a session that is no text": ("session", Stored(GOOD[0].replace(b"\xa2ar", b"\xa2\xff\xff"))),
    "answers that do not fit": ("session", Stored(next(one for one in GOOD if b"\xa5count\x01" in one).replace(b"\xa5count\x01", b"\xa5count\xc0"))),
    "a number in a cell for dates": ("sheets", _dated()),
}  # fmt: skip
"""What was found, each mended at its cause (docs/reliability.md)."""


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_stays_mended(name: str) -> None:
    target, made = FOUND[name]
    TARGETS[target]().check(made)


# --- broken on purpose -------------------------------------------------------------------------------


@pytest.mark.interpreted
@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # what is found may be long
def test_a_parser_that_stumbles_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumbling(update: types.Update) -> Any:
        if update.message is not None and set(update.message.text or "") & set("٠١٢٣٤٥٦٧٨٩"):
            raise KeyError(update.message.text)
        return found(update)

    found = updates.event_of
    monkeypatch.setattr(updates, "event_of", stumbling)
    with pytest.raises(Broken, match="answered 500"):
        feed(TARGETS["telegram"](), 400, shrunk=False)


def test_a_reader_that_stumbles_is_found_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumbling(text: str, today: Any) -> Any:
        if text.startswith("12"):
            raise ValueError(text)
        return day(text, today)

    monkeypatch.setitem(READERS, "day", stumbling)
    noted: list[BaseException] = []
    one = guided.entry(TARGETS["readers"](), lambda error, _made: noted.append(error))
    for found in sorted((guided.CORPUS / "readers").glob("*")):
        one(b"\x01" + found.read_bytes())
    one(b"\x00" + bytes(range(200)))
    assert [type(error) for error in noted] == [ValueError]


def test_what_is_logged_of_somebody_is_found() -> None:
    with Quiet() as quiet:
        logging.getLogger("x").warning("no fines for %s", CIVIL_ID)
    with pytest.raises(Broken, match="personal in the log"):
        quiet.insist()


# --- the command -------------------------------------------------------------------------------------


def test_every_target_can_be_asked_for() -> None:
    assert tuple(TARGETS) == guided.NAMES


def test_findings_are_kept_one_of_a_kind(tmp_path: Any) -> None:
    findings = guided.Findings(tmp_path)
    for text in ("1/3/2027", "12"):
        for _ in range(3):
            try:
                int(text.replace("1", "x"))
            except ValueError as error:
                findings.note(error, text)
    found = json.loads((tmp_path / "findings.json").read_text("utf-8"))
    assert len(found) == 1
    [(name, said)] = found.items()
    assert name.startswith("ValueError at test_targets.py:")
    assert said["given"] == "'1/3/2027'"


def test_lines_are_counted() -> None:
    with Reached(("bot.parse",)) as reached:
        day("12/3/2027", date(2026, 11, 22))
    figures = reached.figures()
    assert 10 < figures["reached"] < figures["lines"]
