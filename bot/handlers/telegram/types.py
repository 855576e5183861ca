"""The Bot API's types, as far as turns need them, by its own names where they are not ours.

aiogram's models hold every field of every type; set-up and long polling use them (ADR 0023).
"""

from typing import Any, Final

import msgspec

# --- what comes in ------------------------------------------------------------------------------

PRIVATE: Final = "private"

_Thing = Any
"""Content whose kind is all that matters."""


class Person(msgspec.Struct, frozen=True):
    """``User``, as far as it is looked at; so are the others below. Fields not named here are passed over unread."""

    is_bot: bool = False
    language_code: str | None = None


class Place(msgspec.Struct, frozen=True):
    """``Chat``."""

    id: int
    type: str = PRIVATE


class Document(msgspec.Struct, frozen=True):
    """``Document``: a file, not yet fetched."""

    file_id: str = ""
    file_name: str | None = None
    file_size: int | None = None


class Content(msgspec.Struct, frozen=True):
    """What a message may hold that is not text, by Telegram's names.

    Anything else that comes as a message is a notice of Telegram's own (a pinned message, a timer changed) and nobody
    waits for an answer to it.
    """

    animation: _Thing = None
    audio: _Thing = None
    checklist: _Thing = None
    contact: _Thing = None
    dice: _Thing = None
    document: Document | None = None
    game: _Thing = None
    giveaway: _Thing = None
    live_photo: _Thing = None
    paid_media: _Thing = None
    photo: _Thing = None
    poll: _Thing = None
    sticker: _Thing = None
    story: _Thing = None
    venue: _Thing = None
    location: _Thing = None  # after the venue, which holds one
    video: _Thing = None
    video_note: _Thing = None
    voice: _Thing = None


class Message(Content, frozen=True, kw_only=True):
    """``Message``."""

    message_id: int
    chat: Place
    sender: Person | None = msgspec.field(name="from", default=None)
    text: str | None = None

    def kind(self) -> str:
        """What it holds that is not text; empty for nothing a resident sent."""
        for name in _KINDS:
            if getattr(self, name) is not None:
                # An animation also comes as the document it was sent as; it is the first of the two.
                return name
        return ""


_KINDS: Final = Content.__struct_fields__


class Press(msgspec.Struct, frozen=True, kw_only=True):
    """``CallbackQuery``."""

    id: str
    sender: Person = msgspec.field(name="from")
    # It may be too old for Telegram to show, but it still names the chat. There is none for a message sent "via"
    # the bot elsewhere, which we never send.
    message: Message | None = None
    data: str | None = None


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """``Update``: of the kinds in `WANTED`."""

    update_id: int
    message: Message | None = None
    channel_post: Message | None = None
    callback_query: Press | None = None


class Numbered(msgspec.Struct, frozen=True):
    """An update of any shape."""

    update_id: int


# --- what goes out ------------------------------------------------------------------------------


class Refusal(msgspec.Struct, frozen=True):
    """Telegram's no.

    Attributes:
        code: ``error_code``, an HTTP status.
        description: its words, lower case; they may hold the chat's id or quote the message.
        retry_after: seconds it asks to wait, 0 for none.
    """

    code: int
    description: str
    retry_after: float = 0


class NoPreview(msgspec.Struct, frozen=True):
    """``LinkPreviewOptions``: previews would have Telegram's servers fetch the links we send."""

    is_disabled: bool


class Key(msgspec.Struct, frozen=True, omit_defaults=True):
    """``InlineKeyboardButton``."""

    text: str
    url: str = ""
    callback_data: str = ""


class Markup(msgspec.Struct, frozen=True):
    """``InlineKeyboardMarkup``."""

    inline_keyboard: tuple[tuple[Key, ...], ...]


class Call(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A method with its arguments; ``None`` stands for an argument that is not given."""

    chat_id: int
    text: str | None = None
    message_id: int | None = None
    action: str | None = None
    parse_mode: str | None = None
    link_preview_options: NoPreview | None = None
    reply_markup: Markup | None = None


class Answered(msgspec.Struct, frozen=True):
    """Arguments of ``answerCallbackQuery``."""

    callback_query_id: str


class Parameters(msgspec.Struct, frozen=True):
    """``ResponseParameters``."""

    retry_after: float = 0


class Method(msgspec.Struct, frozen=True):
    """``answerCallbackQuery`` in the body of the answer to an update."""

    method: str
    callback_query_id: str


class Told(msgspec.Struct, frozen=True):
    """An answer to a call."""

    ok: bool
    error_code: int = 0
    description: str = ""
    parameters: Parameters = Parameters()
