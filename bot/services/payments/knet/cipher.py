"""KNET's cipher: AES-128-CBC, the key's own bytes as IV, PKCS#7 over bytes, written as hexadecimal.

It hides and proves nothing: there is no MAC, and as key and IV are the same, three blocks ``C, 0, C``
decrypt to texts of which the first and the third give the key. So what comes out of `decrypted` is never
shown, echoed or logged, and whoever sends rubbish must not learn which kind of rubbish it was.
"""

import re
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK: Final = 16
"""Bytes."""

_HEX = re.compile(r"(?:[0-9A-Fa-f]{32})+", re.ASCII)


def encrypted(text: str, key: bytes) -> str:
    """``text`` in UTF-8, enciphered under the 16 bytes of ``key``, in upper-case hexadecimal."""
    data = text.encode()
    pad = BLOCK - len(data) % BLOCK
    work = _cipher(key).encryptor()
    return (work.update(data + bytes([pad]) * pad) + work.finalize()).hex().upper()


def decrypted(text: str, key: bytes) -> tuple[bytes, bool]:
    """What ``text`` (hexadecimal, either case) deciphers to, and whether its padding is sound.

    Never raises over the padding: a caller that stops there and goes on elsewhere takes different times,
    which is a padding oracle. It should do all its work on the bytes and look at the flag last. With
    unsound padding the bytes are the whole rubbish.

    Raises:
        ValueError: not hexadecimal of whole blocks. That says nothing about the key.
    """
    if _HEX.fullmatch(text) is None:
        raise ValueError("not hexadecimal of whole blocks")
    work = _cipher(key).decryptor()
    data = work.update(bytes.fromhex(text)) + work.finalize()
    pad = data[-1]
    wrong = 0
    for place, byte in enumerate(reversed(data[-BLOCK:])):  # all sixteen, whatever the first ones say
        wrong |= (byte ^ pad) if place < pad else 0
    sound = 0 < pad <= BLOCK and wrong == 0
    return data[: len(data) - (pad if sound else 0)], sound


def _cipher(key: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(key), modes.CBC(key))
