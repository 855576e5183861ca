r"""A session as Redis has it: one string, of a line that scripts read and of what is sealed.

    <revision> <ids said but perhaps not delivered, by commas> <bytes of the sealed chat>\n<sealed chat><sealed session>

A hash of the same takes 200 bytes more: a field of more than 64 bytes makes Redis give each of them room of its own.
"""

import re
from typing import Final, NamedTuple

from bot.errors import Unreadable

_LINE: Final = re.compile(rb"(\d{1,15}) (\S*) (\d{1,9})\n")


class Parcel(NamedTuple):
    """What one holds.

    Attributes:
        line: revision, ids and the length of the chat, with the line's end.
        chat: sealed; empty where no timer runs.
        session: sealed.
    """

    line: bytes
    chat: bytes
    session: bytes


def parted(value: bytes) -> Parcel:
    """The parts of ``value``.

    Raises:
        Unreadable: no script of ours wrote it.
    """
    line = _LINE.match(value)
    if line is None:
        raise Unreadable("no parcel")
    end = line.end() + int(line[3])
    return Parcel(line[0], value[line.end() : end], value[end:])
