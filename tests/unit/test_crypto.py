"""Encryption at rest: rotation, tampering, moving, and blind names."""

import base64
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.crypto import Keyring
from bot.errors import ConfigError, Unreadable

INDEX, OLD, NEW = (bytes([n]) * 32 for n in (1, 2, 3))
PLACE = b"{p017}:session"


@given(st.binary(max_size=300), st.binary(max_size=40))
def test_what_is_sealed_opens(data: bytes, place: bytes) -> None:
    ring = Keyring([NEW], INDEX)
    sealed = ring.seal(data, place)
    assert ring.open(sealed, place) == data
    assert data not in sealed or len(data) < 4


def test_the_same_is_never_sealed_alike() -> None:
    ring = Keyring([NEW], INDEX)
    assert ring.seal(b"x", PLACE) != ring.seal(b"x", PLACE)


def test_no_nonce_comes_twice_in_threads_and_in_forked_processes() -> None:
    ring = Keyring([NEW], INDEX)
    ring.seal(b"x", PLACE)  # nonces are drawn ahead
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.write(writing, b"".join(ring.seal(b"x", PLACE) for _ in range(300)))
        os._exit(0)
    os.waitpid(child, 0)
    size = len(ring.seal(b"x", PLACE))
    theirs = b""
    while len(theirs) < 300 * size:
        theirs += os.read(reading, 65_536)
    os.close(reading)
    os.close(writing)
    with ThreadPoolExecutor(8) as threads:
        ours = list(threads.map(lambda _: ring.seal(b"x", PLACE), range(2000)))
    sealed = [*ours, *(theirs[at : at + size] for at in range(0, len(theirs), size))]
    assert len({each[5:17] for each in sealed}) == 2300


def test_rotation() -> None:
    before, during, after = Keyring([OLD], INDEX), Keyring([NEW, OLD], INDEX), Keyring([NEW], INDEX)
    old = before.seal(b"civil id", PLACE)
    assert during.open(old, PLACE) == b"civil id"
    new = during.seal(b"civil id", PLACE)
    assert after.open(new, PLACE) == b"civil id", "new data is sealed with the first key"
    with pytest.raises(Unreadable, match="unknown key"):
        after.open(old, PLACE)
    with pytest.raises(Unreadable, match="unknown key"):
        before.open(new, PLACE)


def test_every_altered_byte_is_noticed() -> None:
    ring = Keyring([NEW], INDEX)
    sealed = ring.seal(b"12", PLACE)
    for at in range(len(sealed)):
        altered = bytearray(sealed)
        altered[at] ^= 1
        with pytest.raises(Unreadable):
            ring.open(bytes(altered), PLACE)


@pytest.mark.parametrize("length", range(34))
def test_what_is_cut_off_is_noticed(length: int) -> None:
    ring = Keyring([NEW], INDEX)
    sealed = ring.seal(b"12", PLACE)
    with pytest.raises(Unreadable):
        ring.open(sealed[:length], PLACE)


def test_what_was_moved_does_not_open() -> None:
    ring = Keyring([NEW], INDEX)
    with pytest.raises(Unreadable, match="another place"):
        ring.open(ring.seal(b"x", PLACE), b"{p018}:session")


def test_blind_names_last_over_rotation_and_reveal_nothing() -> None:
    name = Keyring([OLD], INDEX).blind("telegram:812")
    assert name == Keyring([NEW, OLD], INDEX).blind("telegram:812")
    assert name != Keyring([OLD], NEW).blind("telegram:812")
    assert len(name) == 24
    assert "812" not in name


def test_a_generated_ring_parses() -> None:
    text = Keyring.generate()
    assert Keyring.parse(text).open(Keyring.parse(text).seal(b"x", PLACE), PLACE) == b"x"
    assert Keyring.generate() != text


@pytest.mark.parametrize(
    "text", ["", ":", "x", "x:y", "AAAA:AAAA", f"{base64.b64encode(INDEX).decode()}:", "é:é"]
)
def test_a_wrong_setting_is_told_in_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match="SECRET_KEYS") as caught:
        Keyring.parse(text)
    assert "\n" not in str(caught.value)


def test_an_empty_ring() -> None:
    with pytest.raises(ConfigError):
        Keyring([], INDEX)
