"""Files that residents send, on their way from a channel into the store: asked for, small enough, readable.

A channel fetches and keeps a file only where the chat's question asks for one; every other one stays where it is,
and the dialog says that it was not read.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from bot.errors import TooLarge
from bot.model import Chat
from bot.ports import Files

Awaits = Callable[[Chat], Awaitable[tuple[str, ...]]]
"""Kinds of files that a chat's question asks for now; `bot.runtime.Runtime.awaits`.

Raises `bot.errors.StoreAway`.
"""

UPLOAD: Final = "/chat/upload"
"""Where the web chat's page sends files: the one address at which files are taken."""

NAME_LENGTH: Final = 120
"""Characters of a file's name that are shown."""

LARGE: Final = "large"
KIND: Final = "kind"
LOST: Final = "lost"
"""Why a file was not kept (`bot.model.Attached.missing`)."""

_ZIP: Final = b"PK\x03\x04"
_PART: Final = b"[Content_Types].xml"  # ECMA-376, part 2: every Office file has it
_NO_TEXT: Final = (b"%PDF-", b"{\\rtf")
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_LOOK: Final = 65_536


class Kept(NamedTuple):
    """What became of a file: its reference, or why there is none."""

    file: str = ""
    missing: str = ""


class Intake:
    """Takes files in.

    Args:
        files: where they are kept.
        awaits: what chats ask for.
        limit: bytes of a file.
    """

    def __init__(self, files: Files, awaits: Awaits, limit: int) -> None:
        self._files = files
        self.awaits = awaits
        self.limit = limit

    async def keep(self, chat: Chat, content: bytes, name: str) -> Kept:
        """Keep ``content`` if it is a table.

        Raises:
            StoreAway: the store does not answer.
        """
        if len(content) > self.limit:
            return Kept(missing=LARGE)
        if not is_table(content):
            return Kept(missing=KIND)
        try:
            return Kept(await self._files.put(chat, content, name))
        except TooLarge:
            return Kept(missing=LARGE)


def is_table(content: bytes) -> bool:
    """Whether it may be a table: an Office file, or text. By what stands in it; names and types say anything."""
    if content.startswith(_ZIP):
        return _PART in content
    return bool(content.strip()) and not content.startswith(_NO_TEXT) and _is_text(content)


def _is_text(content: bytes) -> bool:
    named = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), "")
    if not named and b"\x00" in content[:_LOOK]:
        # UTF-16 without its mark: digits and commas have a zero byte, before or behind.
        before, behind = (content[start:_LOOK:2].count(0) for start in (0, 1))
        named = "utf-16-be" if before > behind else "utf-16-le"
    # Windows-1256 is what Excel writes in Kuwait when asked for "CSV"; it takes nearly every byte, so it is last.
    for encoding in (named,) if named else ("utf-8", "cp1256"):
        try:
            return _CONTROL.search(content.decode(encoding)) is None
        except UnicodeDecodeError:
            continue
    return False


def shown_name(name: str) -> str:
    """A file's name as it may be shown: without folders, and without what turns text around or hides it."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return _UNSEEN.sub("", last).strip()[:NAME_LENGTH]
