"""Who asks, behind proxies that are ours and headers that are anybody's; and how much a network may ask."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import Settings, load
from bot.errors import ConfigError
from bot.handlers.address import client_address, client_scheme, household, is_local, networks
from bot.handlers.buckets import Buckets

OURS = networks(("127.0.0.1", "::1", "10.0.0.0/8", "2001:db8:1::/48"))


def scope(peer: str | None, *forwarded: str, proto: str = "") -> dict[str, Any]:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    if proto:
        headers.append((b"x-forwarded-proto", proto.encode()))
    return {"client": (peer, 1) if peer is not None else None, "headers": headers, "scheme": "http"}


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.5", (), "203.0.113.5"),
        ("203.0.113.5", ("198.51.100.7",), "203.0.113.5"),  # a stranger's word
        ("127.0.0.1", ("203.0.113.5",), "203.0.113.5"),
        (
            "127.0.0.1",
            ("198.51.100.7, 203.0.113.5",),
            "203.0.113.5",
        ),  # the left one was written by a stranger
        ("127.0.0.1", ("198.51.100.7", "203.0.113.5, 10.1.2.3"), "203.0.113.5"),
        ("10.9.9.9", ("10.1.1.1, 10.2.2.2",), "10.1.1.1"),
        ("127.0.0.1", ("203.0.113.5:4711",), "203.0.113.5"),
        ("127.0.0.1", ("[2001:db8:2::5]:4711",), "2001:db8:2::5"),
        ("127.0.0.1", ("2001:db8:2::5",), "2001:db8:2::5"),
        ("::1", ("::ffff:203.0.113.5",), "203.0.113.5"),
        ("::ffff:10.0.0.1", ("203.0.113.5",), "203.0.113.5"),
        ("127.0.0.1", ("203.0.113.5, garbage",), "127.0.0.1"),
        ("127.0.0.1", ("203.0.113.5, unknown, 10.0.0.2",), "10.0.0.2"),
        ("127.0.0.1", ("",), "127.0.0.1"),
        ("127.0.0.1", (", ,",), "127.0.0.1"),
        ("fe80::1%eth0", (), "fe80::1"),
        (None, ("203.0.113.5",), ""),
        ("", ("203.0.113.5",), ""),
        ("not an address", ("203.0.113.5",), ""),
    ],
)
def test_who_asks(peer: str | None, forwarded: tuple[str, ...], address: str) -> None:
    assert client_address(scope(peer, *forwarded), OURS) == address


@given(st.lists(st.text(alphabet=st.characters(max_codepoint=255))))
def test_any_header_is_read(forwarded: list[str]) -> None:
    found = client_address(scope("127.0.0.1", *forwarded), OURS)
    assert household(found)
    assert client_address(scope("203.0.113.5", *forwarded), OURS) == "203.0.113.5"


@pytest.mark.parametrize(
    ("peer", "proto", "scheme"),
    [
        ("127.0.0.1", "https", "https"),
        ("127.0.0.1", "http, HTTPS", "https"),
        ("127.0.0.1", "javascript", "http"),
        ("203.0.113.5", "https", "http"),
        (None, "https", "http"),
    ],
)
def test_over_what(peer: str | None, proto: str, scheme: str) -> None:
    assert client_scheme(scope(peer, proto=proto), OURS) == scheme


def test_a_household_is_counted_once() -> None:
    assert household("203.0.113.5") == "203.0.113.5"
    assert household("2001:db8:2:3::5") == household("2001:db8:2:3:ffff::1") == "2001:db8:2:3::/64"
    assert household("2001:db8:2:4::5") != household("2001:db8:2:3::5")
    assert household("") == ""


def test_this_machine_is_local() -> None:
    assert is_local("127.0.0.1")
    assert is_local("::1")
    assert not is_local("203.0.113.5")
    assert not is_local("")


def test_a_proxy_that_is_none_stops_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8, somewhere")
    with pytest.raises(ConfigError, match=r"TRUSTED_PROXIES: .*expected addresses or networks") as caught:
        load()
    assert "somewhere" not in str(caught.value)
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    assert Settings(_env_file=None).trusted_proxies == ("10.0.0.0/8", "::1")


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> int:
        return int(self.at)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


def test_a_bucket_empties_and_fills() -> None:
    clock = Clock()
    buckets = Buckets(clock, rate=2, burst=3)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b") == 0, "another network has its own"
    clock.at += 0.5
    assert [buckets.take("a") for _ in range(2)] == [0, 0.5]
    clock.at += 3600
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5], "it never holds more than a burst"


def test_only_so_many_buckets_are_kept() -> None:
    buckets = Buckets(Clock(), rate=1, burst=1, kept=2)
    assert [buckets.take(name) for name in "abca"] == [0, 0, 0, 0], (
        "the one unheard of for longest is forgotten"
    )
    assert buckets.take("c") == 1
