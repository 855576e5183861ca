"""The calls that turns make, on `bot.wire`; set-up and long polling go through aiogram.

aiogram builds a pydantic class for the answer of every call and reads the whole message back, which nobody here looks
at (ADR 0023 has the figures). What is sent is the same, word for word.
"""

from typing import Final

import msgspec

from bot.errors import UNDECODABLE, Unavailable
from bot.handlers.telegram.types import Answered, Call, Markup, NoPreview, Refusal, Told
from bot.wire import Answer, Late, Lost, NotSent, Unfit, Wire

SERVICE: Final = "telegram"
_DONE: Final = 200
_YES: Final = b'{"ok":true,'
"""How the Bot API begins to say that a call was done; said in any other way, it is read."""
_SERVER_ERROR: Final = 500
_UNAUTHORISED: Final = 401
"""The token is not known: the operator's to mend, and worth another try then."""


_DECODE: Final = msgspec.json.Decoder(Told).decode
_ENCODE: Final = msgspec.json.Encoder().encode
_NO_PREVIEW: Final = NoPreview(is_disabled=True)


def said(chat_id: int, html: str, markup: Markup | None, message_id: int | None = None) -> Call:
    """Arguments of ``sendMessage``, or of ``editMessageText`` with ``message_id``."""
    return Call(
        chat_id=chat_id,
        text=html,
        message_id=message_id,
        parse_mode="HTML",
        link_preview_options=_NO_PREVIEW,
        reply_markup=markup,
    )


class Calls:
    """Calls of one bot's.

    Args:
        base: the Bot API server.
        token: the bot's; part of every address, and of no error or log line.
        timeout: seconds for one call. A message given up too early may have arrived, and would be sent twice.
    """

    def __init__(self, base: str, token: str, timeout: float) -> None:
        self._wire = _open(base)
        self._path = f"/bot{token}/"
        self._timeout = timeout

    async def do(self, method: str, arguments: Call | Answered) -> Refusal | None:
        """Call ``method``; None when it was done.

        Raises:
            Unavailable: no answer, one of 5xx, or nonsense. Without cause and context: they may hold the token.
        """
        answer = await self._ask(method, _ENCODE(arguments))
        if isinstance(answer, str):
            raise Unavailable(SERVICE, answer)
        if answer.status == _DONE and answer.body.startswith(_YES):
            return None
        told = _told(answer.body)
        if told is None:
            raise Unavailable(SERVICE, f"answered {answer.status}")
        if told.ok:
            return None
        code = told.error_code or answer.status
        if code >= _SERVER_ERROR or code == _UNAUTHORISED:
            raise Unavailable(SERVICE, f"answered {code}")
        return Refusal(code, told.description.lower(), told.parameters.retry_after)

    async def close(self) -> None:
        """Close the connections."""
        if self._wire is not None:
            await self._wire.close()

    async def _ask(self, method: str, body: bytes) -> Answer | str:
        """The answer, or why there is none."""
        if self._wire is None:
            return "no address"
        try:
            return await self._wire.ask("POST", self._path + method, body, within=self._timeout)
        except (NotSent, Late, Lost, Unfit) as error:
            return type(error).__name__


def _open(base: str) -> Wire | None:
    """None for what is no address: it is told when something is sent, as for one where nobody is."""
    try:
        return Wire(base)
    except ValueError:
        return None


def _told(body: bytes) -> Told | None:
    try:
        return _DECODE(body)
    except UNDECODABLE:
        return None
