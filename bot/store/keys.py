"""Where a chat's keys live: one hash tag a chat, names that do not reveal the chat."""

import binascii
from functools import lru_cache
from typing import Final, NamedTuple

from bot.crypto import Keyring
from bot.model import Chat

PARTITIONS: Final = 256
"""Fixed for the life of a deployment: another number would look for every session in another place."""

KNOWN: Final = 16_384
"""Chats whose places are remembered: those of some minutes."""


class Place(NamedTuple):
    """The place of one chat.

    Attributes:
        tag: hash tag of its partition (``{p017}``); every key of the chat carries it, so all of them
            are in one slot of a cluster.
        name: the chat's blind name, 24 hex digits.
    """

    tag: str
    name: str


class Keys:
    """Places of chats.

    Args:
        keyring: gives the blind names.
        partitions: how many there are.
    """

    def __init__(self, keyring: Keyring, partitions: int = PARTITIONS) -> None:
        self._keyring = keyring
        self._tags = [f"{{p{number:03d}}}" for number in range(partitions)]
        # A turn asks for it several times.
        self.place = lru_cache(maxsize=KNOWN)(self._place)

    def _place(self, chat: Chat) -> Place:
        """The place of ``chat``: the same in every process that shares the keyring."""
        name = self._keyring.blind(f"chat:{chat.channel}:{chat.id}")
        # A checksum, not `hash`: Python salts that one anew in every process.
        partition = binascii.crc_hqx(name.encode(), 0) % len(self._tags)
        return Place(self._tags[partition], name)
