"""Forged notifications to KNET's adapter, and bad settings: refused, all alike, and never quoted."""

import traceback
from collections.abc import AsyncGenerator
from urllib.parse import quote_plus

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ConfigError, Malformed
from bot.services.payments.knet import Knet, KnetTerms
from bot.services.payments.knet.cipher import decrypted
from bot.services.payments.knet.messages import notification
from tests.payments.counterparts.knet import KEY, PASSWORD, TERMINAL, encipher, terms
from tests.payments.test_knet_vectors import DECLINED, PAID, PROBE, REFUSED
from tests.payments.world import FakeClock

TRACK = "KB7F3C9A1D2E40518"
FILS = 5250
GENUINE = dict(pair.split("=") for pair in PAID[0].split("&"))
SECRETS = (PASSWORD, KEY, TERMINAL, TRACK, "600100000001", "999554", "SECRETS")


def says_nothing(problem: BaseException) -> bool:
    """Whether the error holds nothing of what was given."""
    said = "".join(traceback.format_exception(problem)) + repr(problem)
    return not any(secret in said for secret in SECRETS)


@pytest.fixture
async def knet() -> AsyncGenerator[Knet, None]:
    knet = Knet(terms("http://127.0.0.1:1/gateway"), FakeClock())
    yield knet
    await knet.close()


# --- notifications ----------------------------------------------------------------------------------


def enciphered(**changes: str) -> bytes:
    fields = {**GENUINE, **changes}
    return encipher("&".join(f"{name}={quote_plus(value)}" for name, value in fields.items())).encode()


FORGERIES = {
    "nothing": b"",
    "no trandata": b"paymentid=1&result=CAPTURED&trackid=" + TRACK.encode(),
    "plain error fields": f"Error=IPAY0100048&ErrorText=x&paymentid=1&trackid={TRACK}&amt=5.250".encode(),
    "plain text": PAID[0].encode(),
    "empty trandata": b"trandata=",
    "two of them": b"trandata=" + PAID[1].encode() + b"&trandata=" + DECLINED[1].encode(),
    "the probe": PROBE.encode(),
    "cut off": PAID[1][:-2].encode(),
    "a block less": PAID[1][:-32].encode(),
    "without its beginning": PAID[1][32:].encode(),
    "altered": f"{PAID[1][:100]}0{PAID[1][101:]}".encode(),
    "not hexadecimal": b"trandata=" + b"G" * 64,
    "not ASCII": "trandata=٣٣".encode(),
    "not text": b"\xff\x00" * 16,
    "too long": b"a=" + b"a" * 16 * 1024 + b"&trandata=" + PAID[1].encode(),
    "many fields": b"a=1&" * 100 + b"trandata=" + PAID[1].encode(),
    "another key": encipher(PAID[0], "ANOTHERKEY012345").encode(),
    "no result": enciphered(result=""),
    "a strange result": enciphered(result="captured"),
    "too long a result": enciphered(result="C" * 33),
    "no track id": enciphered(trackid=""),
    "a track id not ours": enciphered(trackid="K" * 20),
    "a track id with marks": enciphered(trackid="K-1"),
    "too long a payment id": enciphered(paymentid="1" * 65),
    "four decimals": enciphered(amt="5.2500"),
    "two decimals": enciphered(amt="5.25"),
    "nothing paid": enciphered(amt="0.000"),
    "less than nothing": enciphered(amt="-5.250"),
    "no amount at all": enciphered(amt="SECRETS"),
    "Arabic": enciphered(udf1="مخالفة"),
    "a line break": enciphered(udf1="a\nb"),
    "too long a field": enciphered(udf1="a" * 256),
    "a field twice": encipher(f"{PAID[0]}&result=CAPTURED").encode(),
    "a field under both names": encipher(f"{PAID[0]}&authResponseCode=00").encode(),
    "rubbish in a field nobody knows": encipher(f"{PAID[0]}&more=\x01").encode(),
}


@pytest.mark.parametrize("body", FORGERIES.values(), ids=FORGERIES)
async def test_all_rubbish_is_refused_alike(knet: Knet, body: bytes) -> None:
    with structlog.testing.capture_logs() as logs, pytest.raises(Malformed) as refused:
        knet.parse_callback(body, {})
    assert str(refused.value) == REFUSED
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    assert not logs
    assert says_nothing(refused.value)


async def test_what_a_resident_holds_is_no_oracle_for_the_password(knet: Knet) -> None:
    # They may cut an answer of their own and append what they want deciphered; the byte before it takes
    # every value, so that the padding is sound in one of the cases at least.
    genuine, wanted = PAID[1][:-64], PAID[1][:32]
    assert TRACK.encode() in decrypted(genuine, KEY.encode())[0]
    for last in range(256):
        with pytest.raises(Malformed) as refused:
            knet.parse_callback(f"{genuine}{'00' * 15}{last:02X}{wanted}".encode(), {})
        assert str(refused.value) == REFUSED


@pytest.mark.parametrize("changes", [{"amt": ""}, {"amt": "null"}, {"paymentid": ""}, {"auth": "null"}])
async def test_what_may_be_missing(knet: Knet, changes: dict[str, str]) -> None:
    read = knet.parse_callback(enciphered(**changes), {})
    assert read.event == (TRACK if "paymentid" in changes else GENUINE["paymentid"])
    assert read.fils == (0 if "amt" in changes else FILS)
    assert read.plain[next(iter(changes))] == ""


async def test_an_error_comes_before_the_result(knet: Knet) -> None:
    read = knet.parse_callback(encipher(f"{PAID[0]}&Error=IPAY0100045&ErrorText=x").encode(), {})
    assert (read.result, read.paid) == ("CAPTURED", False)
    assert set(read.plain) == set(GENUINE)


async def test_a_repeat_carries_the_same_event(knet: Knet) -> None:
    first, second = (knet.parse_callback(PAID[1].encode(), {}) for _ in range(2))
    assert first == second


@given(
    st.binary(max_size=200)
    | st.text(alphabet="0123456789abcdefABCDEF=&trandata%", max_size=200).map(str.encode)
)
def test_any_bytes_are_refused(body: bytes) -> None:
    assert notification(body, KEY.encode()) is None


@given(
    st.text(max_size=60) | st.builds("result={}&trackid={}&amt={}".format, st.text(), st.text(), st.text())
)
def test_any_text_under_the_right_key_is_read_strictly_or_refused(plain: str) -> None:
    read = notification(encipher(plain).encode(), KEY.encode())
    assert read is None or (read.track_id.isalnum() and read.track_id.isascii() and read.fils >= 0)


# --- settings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"tranportal_id": ""}, "KNET_ID"),
        ({"tranportal_id": "9" * 256}, "KNET_ID"),
        ({"tranportal_id": "99 99"}, "KNET_ID"),
        ({"password": ""}, "KNET_PASSWORD"),
        ({"password": "SECRETS&amt=1"}, "KNET_PASSWORD"),
        ({"password": "SECRETS012345678"}, "KNET_PASSWORD"),
        ({"password": "SECRETSسر"}, "KNET_PASSWORD"),
        ({"key": ""}, "KNET_KEY"),
        ({"key": "SECRETS"}, "KNET_KEY"),
        ({"key": "SECRETS0123456789"}, "KNET_KEY"),
        ({"key": "SECRETS01234567ق"}, "KNET_KEY"),
        ({"url": ""}, "KNET_URL"),
        ({"url": "http://www.kpay.com.kw"}, "KNET_URL"),
        ({"url": "ftp://127.0.0.1"}, "KNET_URL"),
        ({"url": "https://"}, "KNET_URL"),
        ({"url": "https://www.kpay.com.kw/?"}, "KNET_URL"),
        ({"url": "https://www.kpay.com.kw#a"}, "KNET_URL"),
        ({"url": "https://SECRETS@www.kpay.com.kw"}, "KNET_URL"),
        ({"url": "https://[::"}, "KNET_URL"),
        ({"url": "https://www.kpay.com.kw:99999"}, "KNET_URL"),
    ],
)
def test_a_bad_setting_is_named_and_not_shown(changes: dict[str, str], named: str) -> None:
    fields = {"tranportal_id": TERMINAL, "password": PASSWORD, "key": KEY, **changes}
    with pytest.raises(ConfigError, match=f"^{named}: ") as refused:
        KnetTerms(**fields)
    assert says_nothing(refused.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:5000/gateway", "http://[::1]:5000", "https://kpaytest.com.kw/"]
)
async def test_addresses_that_will_do(url: str) -> None:
    knet = Knet(KnetTerms(tranportal_id="1", password="0" * 15, key=KEY, url=url), FakeClock())
    assert knet.hosts
    await knet.close()


def test_credentials_are_not_shown() -> None:
    shown = terms("https://www.kpaytest.com.kw")
    assert repr(shown) == str(shown) == "KnetTerms(…)"
    assert list(shown.__rich_repr__()) == []
