"""The terminal chat: the same service for a person with a keyboard, and for scripts.

It reads the chat's log as a web page does; whichever process takes the turn writes there.
"""

import asyncio
import os
import re
import secrets
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final, TextIO

import msgspec

from bot.errors import ConfigError
from bot.handlers.chat_log import ChatLog, Disarmed, Ear, Erased, Settled, Shown
from bot.handlers.files import Intake, Kept, shown_name
from bot.i18n.render import bare
from bot.model import Attached, Button, Chat, Pressed, Typed, plain
from bot.ports import Handle
from bot.tasks import Tasks

NAME: Final = "terminal"
_BEAT: Final = 15.0
"""Seconds after which the log is read again, heard of or not."""
_LONGEST_LINE: Final = 1 << 20
_USER: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ENTRY: Final = msgspec.json.Decoder(Shown | Settled | Disarmed | Erased)
_FORM: Final = {"content-type": "application/x-www-form-urlencoded"}


def interactive() -> bool:
    """Whether a person sits at the keyboard."""
    return sys.stdin.isatty()


class Terminal:
    """Chat with the service. Type what you would type on the phone; a number presses that button.

    Commands of the service work everywhere: /menu /back /cancel /language /help.

    With standard input not a terminal, one line is one message, and for each line the replies are waited
    for and printed:

      > line sent          echo of the line
      < reply              one line of a reply
        [1] label          a button; links show their address behind the label

    Lines for scripts (and for a person, too):

      3                    press button 3 of the latest message (#3 where the question wants a number)
      !pay BUTTON          pay the latest link on the sandbox page: approved, funds, pin, cancel,
                           timeout or pending; then wait for what the chat says about it
      !file PATH           send a file, where the latest question asks for one
      !wait                wait for the next message that comes by itself, at most --timeout seconds

    Exit status 0 at the end of input, 1 when a !wait or !pay saw nothing in time or a !file could not be read.
    """

    def __init__(
        self,
        *,
        log: ChatLog,
        handle: Handle,
        intake: Intake,
        settled: Callable[[Chat], Awaitable[None]],
        user: str,
        language: str,
        timeout: float,
        out: TextIO = sys.stdout,
    ) -> None:
        if _USER.fullmatch(user) is None:
            raise ConfigError("--channel-user: 1 to 64 of A-Z, a-z, 0-9, _, . and -")
        self._log = log
        self._handle = handle
        self._intake = intake
        self._settled = settled
        self._chat = Chat(NAME, user)
        self._language = language
        self._timeout = timeout
        self._out = out
        self._after = ""
        self._buttons: tuple[Button, ...] = ()
        self._link = ""
        self._plain = False

    # --- a script -------------------------------------------------------------------------------

    async def script(self, lines: TextIO) -> int:
        """Send each line, print its replies; the exit status."""
        self._plain = True
        code = 0
        with self._log.listen(self._chat) as ear:
            await self._skip()
            async for line in _lines(lines):
                text = line.rstrip("\n")
                if not text.strip():
                    continue
                self._print(f"> {text}")
                if not await self._line(text.strip(), ear):
                    code = 1
        return code

    async def _line(self, text: str, ear: Ear) -> bool:
        """One line of a script; False when what was waited for did not come."""
        if text == "!wait":
            return await self._next(ear)
        if text.startswith("!pay"):
            if not await self._pay(text.removeprefix("!pay").strip() or "approved"):
                return False
            return await self._next(ear)
        if not await self._send(text):
            return False
        try:
            async with asyncio.timeout(self._timeout):
                await self._settled(self._chat)
        except TimeoutError:
            self._print("! no answer in time")
        await self._show()
        return True

    async def _next(self, ear: Ear) -> bool:
        """Print the next message that comes by itself."""
        try:
            async with asyncio.timeout(self._timeout):
                while not await self._show():
                    await ear.next(1.0)
        except TimeoutError:
            self._print("! nothing came in time")
            return False
        return True

    # --- a person -------------------------------------------------------------------------------

    async def talk(self) -> int:
        """Chat until the end of input; the exit status."""
        tasks = Tasks()
        with self._log.listen(self._chat) as ear:
            await self._show()
            if not self._after:
                await self._send("/start")
            tasks.spawn(self._hear(ear), "terminal output")
            try:
                await self._read()
            finally:
                await tasks.close()
        return 0

    async def _hear(self, ear: Ear) -> None:
        while True:
            await self._show()
            if await ear.next(_BEAT) == "typing":
                self._print("…")

    async def _read(self) -> None:
        async for line in _lines(sys.stdin):
            if text := line.strip():
                await self._by_hand(text)

    async def _by_hand(self, text: str) -> None:
        if text.startswith("!pay"):
            await self._pay(text.removeprefix("!pay").strip() or "approved")
        elif text != "!wait":
            await self._send(text)

    # --- both -----------------------------------------------------------------------------------

    async def _send(self, text: str) -> bool:
        """A typed line: a press of a button where it is the number of one, a file, else text; False for no file."""
        name = f"term:{secrets.token_hex(8)}"
        if text.startswith("!file"):
            return await self._send_file(name, text.removeprefix("!file").strip())
        number = text.removeprefix("#")
        button = None
        if number.isdecimal() and len(number) <= 2 and 1 <= int(number) <= len(self._buttons):  # noqa: PLR2004
            button = self._buttons[int(number) - 1]
        if button is not None and button.url:
            self._print(f"! {button.url}")
        elif button is not None:
            await self._handle(Pressed(id=name, chat=self._chat, language=self._language, token=button.token))
        else:
            await self._handle(Typed(id=name, chat=self._chat, language=self._language, text=text))
        return True

    async def _send_file(self, event: str, path: str) -> bool:
        """The file at ``path``, where the chat's question asks for one; elsewhere it is not even read."""
        kept = Kept()
        if "document" in await self._intake.awaits(self._chat):
            try:
                content = await asyncio.to_thread(_read, path, self._intake.limit + 1)
            except OSError as error:
                self._print(f"! cannot read {path}: {error.strerror}")
                return False
            kept = await self._intake.keep(self._chat, content, shown_name(path))
        await self._handle(
            Attached(
                id=event,
                chat=self._chat,
                language=self._language,
                kind="document",
                file=kept.file,
                missing=kept.missing,
                name=shown_name(path),
            )
        )
        return True

    async def _skip(self) -> None:
        """Go to the end of the log: a script prints only what it causes. Old buttons can be pressed."""
        if self._after:
            return
        for entry_id, data in await self._log.read(self._chat):
            self._after = entry_id
            self._remember(_ENTRY.decode(data))

    async def _show(self) -> bool:
        """Print what is new; whether anything was."""
        shown = False
        for entry_id, data in await self._log.read(self._chat, self._after):
            self._after = entry_id
            entry = _ENTRY.decode(data)
            self._remember(entry)
            if isinstance(entry, Shown):
                shown = True
                self._message(entry)
        return shown

    def _remember(self, entry: Shown | Settled | Disarmed | Erased) -> None:
        if isinstance(entry, Shown) and entry.rows:
            self._buttons = tuple(button for row in entry.rows for button in row)
            self._link = next((b.url for b in self._buttons if "/p/" in b.url), self._link)

    def _message(self, entry: Shown) -> None:
        mark = "< " if self._plain else ""
        for line in plain(entry.spans).split("\n"):
            self._print(f"{mark}{line}".rstrip())
        for number, button in enumerate((b for row in entry.rows for b in row), 1):
            link = f" {button.url}" if button.url else ""
            self._print(f"  [{number}] {button.label}{link}")
        if "document" in entry.awaits:
            self._print("  [!file PATH]")
        if not self._plain:
            self._print("")

    async def _pay(self, button: str) -> bool:
        """Press ``button`` on the sandbox gateway's page, by way of our own page."""
        import httpx  # noqa: PLC0415 - seldom, and a tenth of a start

        if not self._link:
            self._print("! no payment link yet")
            return False
        async with httpx.AsyncClient(timeout=30.0, trust_env=False) as browser:
            onward = await browser.post(self._link, headers=_FORM)
            page = onward.headers.get("location", "")
            if not onward.is_redirect or "/gateway/pay/" not in page:
                self._print("! this link does not lead to the sandbox page now")
                return False
            pressed = await browser.post(page, data={"button": button})
            if pressed.is_error:
                self._print(f"! the sandbox page refused {button!r}")
                return False
        return True

    def _print(self, text: str) -> None:
        # A terminal that knows isolates needs them; a script compares text.
        print(bare(text).replace("\u00a0", " ") if self._plain else text, file=self._out, flush=True)


def _read(path: str, limit: int) -> bytes:
    """The first ``limit`` bytes of a file."""
    with Path(path).expanduser().open("rb") as opened:
        return opened.read(limit)


async def _lines(source: TextIO) -> AsyncIterator[str]:
    """Lines as they come. While a pipe or a keyboard is silent, deliveries and timers go on."""
    kind = os.fstat(source.fileno()).st_mode
    if not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) or source.isatty()):
        for line in source:  # a file never makes us wait
            yield line
        return
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), source
    )
    try:
        while line_read := await reader.readline():
            yield line_read.decode(errors="replace")
    finally:
        transport.close()
