"""Tap's signature, against vectors computed outside this project (two tools agreed on each)."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import Malformed
from bot.services.payments.tap import Tap, TapTerms
from tests.payments.world import FakeClock

KEY = "sk_test_EXAMPLEKEY0000000000000"
SIGNED = "3dfd938c6702ad98a0ed82f75e3f396feb0a0a11b85cdee300467d97a68b6c62"

NOTICE = """{
  "id": "chg_TS0000000000000000000001", "object": "charge", "live_mode": false, "api_version": "V2",
  "status": "CAPTURED", "amount": 5.25, "currency": "KWD",
  "transaction": {"timezone": "UTC+03:00", "created": "1760000000000", "amount": 5.25, "currency": "KWD",
    "authorization_id": "B63465"},
  "reference": {"track": "tck_1", "payment": "9720260000000000001", "gateway": "202600000000001",
    "acquirer": "600100000001", "transaction": "KB7F3C9A1D2E40518", "order": "IQ-7F3C-9A1D"},
  "response": {"code": "000", "message": "Captured"},
  "customer": {"first_name": "Waleed", "email": "somebody@example.com"},
  "merchant": {"id": "18778851"}
}"""

SHORT_KEY = "test-secret"
SHORT_SIGNED = "69485ac24bba9295ec86001f7cf0fb7f426b758136eeafa5eb94864fb8b8f514"
SHORT = """{"id": "chg_1", "object": "charge", "status": "CAPTURED", "amount": 1.5, "currency": "KWD",
  "transaction": {"created": "1700"}, "reference": {"gateway": "gw", "payment": "py"}}"""


class Key(TapTerms, frozen=True):
    """Terms with the reference's short key, which is not of Tap's form."""

    def __post_init__(self) -> None: ...


def reader(key: str = KEY) -> Tap:
    return Tap(Key(key, "18778851", "payments@operator.example"), FakeClock())


def refused(tap: Tap, body: bytes, headers: dict[str, str]) -> bool:
    """Whether it is refused, and nothing of what was sent hangs on the error."""
    caught: Malformed | None = None
    try:
        tap.parse_callback(body, headers)
    except Malformed as error:
        caught = error
    if caught is None:
        return False
    alone = caught.__context__ is None or caught.__suppress_context__
    return (str(caught), caught.__cause__, alone) == ("payments: notification refused", None, True)


async def test_the_long_vector() -> None:
    found = reader().parse_callback(NOTICE.encode(), {"hashstring": SIGNED})
    assert (found.track_id, found.provider_ref, found.event) == (
        "KB7F3C9A1D2E40518",
        "chg_TS0000000000000000000001",
        "chg_TS0000000000000000000001",
    )
    assert (found.result, found.fils, found.paid) == ("CAPTURED", 5250, True)
    assert found.plain["reference.acquirer"] == "600100000001"
    assert "Waleed" not in str(found.plain)
    assert "example.com" not in str(found.plain)


async def test_the_short_vector() -> None:
    found = reader(SHORT_KEY).parse_callback(SHORT.encode(), {"hashstring": SHORT_SIGNED})
    assert (found.track_id, found.provider_ref, found.fils) == ("", "chg_1", 1500)


@pytest.mark.parametrize("number", ["1.5", "1.50", "1.500", "15e-1"])
async def test_the_amount_is_signed_with_three_decimals_however_it_is_written(number: str) -> None:
    body = SHORT.replace("1.5", number).encode()
    assert reader(SHORT_KEY).parse_callback(body, {"hashstring": SHORT_SIGNED}).fils == 1500


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("chg_TS0000000000000000000001", "chg_TS0000000000000000000002"),
        ('"amount": 5.25, "currency": "KWD",\n', '"amount": 0.25, "currency": "KWD",\n'),
        ('"amount": 5.25, "currency": "KWD",\n', '"amount": 5.25, "currency": "USD",\n'),
        ('"status": "CAPTURED"', '"status": "DECLINED"'),
        ("9720260000000000001", "9720260000000000002"),
        ("202600000000001", "202600000000002"),
        ("1760000000000", "1760000000001"),
        ('"amount": 5.25, "currency": "KWD",\n', '"amount": 5.2501, "currency": "KWD",\n'),
        ('"amount": 5.25, "currency": "KWD",\n', '"amount": -5.25, "currency": "KWD",\n'),
        ('"amount": 5.25, "currency": "KWD",\n', '"amount": 1e999999999, "currency": "KWD",\n'),
        ('"amount": 5.25, "currency": "KWD",\n', '"amount": "NaN", "currency": "KWD",\n'),
        ('"amount": 5.25, "currency": "KWD",\n', '"amount": null, "currency": "KWD",\n'),
        ('"id": "chg_TS', '"id": "chg_\\ud800'),
        ('"object": "charge"', '"object": "refund"'),
        ('"object": "charge"', '"object": "charge", "deep": ' + "[" * 20_000 + "]" * 20_000),
    ],
)
async def test_what_is_altered_is_refused(old: str, new: str) -> None:
    assert old in NOTICE
    assert refused(reader(), NOTICE.replace(old, new, 1).encode(), {"hashstring": SIGNED})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"hashstring": ""},
        {"hashstring": "0" * 64},
        {"hashstring": SIGNED[:-1]},
        {"hashstring": SIGNED.upper()},
        {"hashstring": "é" * 64},
        {"hashstring": "\udc80" * 64},
        {"hash": SIGNED},
    ],
)
async def test_without_the_signature_it_is_refused(headers: dict[str, str]) -> None:
    assert refused(reader(), NOTICE.encode(), headers)
    assert refused(reader(KEY + "1"), NOTICE.encode(), {"hashstring": SIGNED})


@pytest.mark.parametrize("cut", [0, 1, 100, len(NOTICE) - 1])
async def test_what_is_truncated_is_refused(cut: int) -> None:
    assert refused(reader(), NOTICE.encode()[:cut], {"hashstring": SIGNED})


async def test_what_is_too_long_is_refused() -> None:
    assert not refused(reader(), NOTICE.encode() + b" " * 1000, {"hashstring": SIGNED})
    assert refused(reader(), NOTICE.encode() + b" " * 64 * 1024, {"hashstring": SIGNED})


async def test_our_number_is_not_signed_and_so_only_says_where_to_look() -> None:
    for track, found in (("ANOTHERTRACK", "ANOTHERTRACK"), ("../etc", ""), ("A" * 41, ""), ("", "")):
        body = NOTICE.replace("KB7F3C9A1D2E40518", track).encode()
        assert reader().parse_callback(body, {"hashstring": SIGNED}).track_id == found


FUZZED = reader()


@given(
    body=st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(json.loads(NOTICE))), inner),
    ).map(lambda value: json.dumps(value).encode()),
    hashstring=st.text(),
)
@example(body=b"[" * 100_000, hashstring="")
@example(
    body=b'{"id":"chg_1","object":"charge","status":"","amount":1e-999999999,"currency":""}', hashstring=""
)
@example(body=b"\xff\xfe", hashstring="\udfff")
def test_whatever_comes_is_refused_alike(body: bytes, hashstring: str) -> None:
    assert refused(FUZZED, body, {"hashstring": hashstring})
