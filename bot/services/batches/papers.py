"""Papers of a batch: the file with a verdict for each row, and the empty list, each behind an address.

The address of verdicts is kept nowhere. Its token is the batch, its chat, the language and the end of its life,
sealed. The file is made when it is asked for, and shows the numbers in full: whoever sent them gets them back.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from bot.clock import local
from bot.crypto import Keyring
from bot.errors import Unreadable
from bot.i18n.catalog import LANGUAGES, RTL
from bot.i18n.render import bare
from bot.i18n.text import Arg
from bot.model import Chat
from bot.ports import Clock
from bot.services.batches import workbook
from bot.services.batches.limits import LIMITS, Limits
from bot.services.batches.parts import About, Part, open_about, open_permits, open_rows, together
from bot.services.batches.verdicts import empty_list, heading, line
from bot.services.batches.workbook import Cell, Table
from bot.services.ledger import Ledger
from bot.services.ledger.batches import BatchReads, BatchRow, PartRow

Plain = Callable[[Arg, str], str]
"""``plain(arg, language)``: a text in the words of a language; `bot.i18n.render.Renderer.plain`."""

FORMS: Final = {"xlsx": workbook.excel, "csv": workbook.text}
"""Endings of addresses, and what writes such a file."""
_BOUND: Final = b"verdicts of a batch"
_LONGEST: Final = 600


class _Token(msgspec.Struct, frozen=True, array_like=True):
    ref: str
    chat: Chat
    actor: str
    language: str
    until: int


class Papers:
    """Makes the addresses and the files.

    Args:
        ledger: migrated.
        keyring: seals the tokens, opens what is kept.
        clock: the time.
        plain: words.
        base_url: where browsers find us, without a slash at the end.
        limits: life of an address.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        keyring: Keyring,
        clock: Clock,
        plain: Plain,
        base_url: str,
        limits: Limits = LIMITS,
    ) -> None:
        self._ledger = ledger
        self._keyring = keyring
        self._clock = clock
        self._plain = plain
        self._base_url = base_url
        self._limits = limits

    # --- addresses -------------------------------------------------------------------------------

    def link(self, ref: str, about: About) -> tuple[str, int]:
        """Address of the batch's verdicts, and until when it works (epoch seconds); ``.csv`` works as well."""
        until = self._clock.now() + self._limits.link_seconds
        token = _Token(ref, about.chat, about.actor, about.language, until)
        sealed = base64.urlsafe_b64encode(self._keyring.seal(msgspec.msgpack.encode(token), _BOUND))
        return f"{self._base_url}/batches/{sealed.decode().rstrip('=')}.xlsx", until

    def template(self, language: str) -> tuple[str, str]:
        """Addresses of the empty list, for Excel and as text."""
        excel, text = (f"{self._base_url}/batches/list-{language}.{form}" for form in FORMS)
        return excel, text

    # --- files -----------------------------------------------------------------------------------

    def blank(self, language: str, form: str) -> bytes | None:
        """The empty list; None for a language or form there is none in."""
        write = FORMS.get(form)
        if write is None or language not in LANGUAGES:
            return None
        return write(empty_list(self._words(language), rtl=language in RTL))

    async def open(self, token: str, form: str) -> bytes | None:
        """The verdicts behind ``token``; None for one that is not ours, has expired, or whose batch is gone.

        Raises:
            Unavailable: the ledger does not answer.
        """
        known = self._read(token)
        write = FORMS.get(form)
        if known is None or write is None:
            return None
        async with self._ledger.read() as read:
            batches = BatchReads.of(read)
            batch = await batches.batch_by_ref(known.ref)
            if batch is None or not self._theirs(batch, known):
                return None
            parts = await batches.parts(batch.id)
            years = [offer.years for offer in together(await batches.offers(batch.id))]
        lines: list[Sequence[Cell]] = []
        for part_id in parts:
            async with self._ledger.read() as read:
                row = await BatchReads.of(read).part(part_id)
            if row is not None:
                # Some milliseconds a part that await nothing: other chats must not wait for them.
                lines += await asyncio.to_thread(self._lines, row, years, known.language)
        words = self._words(known.language)
        headings, widths = heading(words, years)
        table = Table(headings, lines, widths, known.language in RTL)
        return await asyncio.to_thread(write, table)

    def _lines(self, row: PartRow, years: Sequence[int], language: str) -> list[Sequence[Cell]]:
        if not row.checked:
            return []
        day = local(row.checked).date()
        part = Part(open_rows(self._keyring, row), open_permits(self._keyring, row), day)
        words = self._words(language)
        return [line(each, candidate, years, day, words) for each, candidate in part.people()]

    def _words(self, language: str) -> Callable[[Arg], str]:
        return lambda arg: bare(self._plain(arg, language))

    def _theirs(self, batch: BatchRow, token: _Token) -> bool:
        about = open_about(self._keyring, batch)
        return (about.chat, about.actor) == (token.chat, token.actor)

    def _read(self, token: str) -> _Token | None:
        if len(token) > _LONGEST:
            return None
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            known = msgspec.msgpack.decode(self._keyring.open(sealed, _BOUND), type=_Token)
        except (binascii.Error, ValueError, Unreadable, msgspec.DecodeError):
            return None
        return known if self._clock.now() < known.until else None
