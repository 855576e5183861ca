"""What is asked of the keeper of personal data, and what comes back."""

from enum import StrEnum

import msgspec

from bot.ports import Effect


class ListKept(Effect, frozen=True, tag="list_kept"):
    """What is kept of this chat, in short. Result: `Kept`."""


class Remember(Effect, frozen=True, tag="remember"):
    """Remember one civil ID for this chat, because the resident agreed. Result: `Remembered`.

    Attributes:
        number: 12 digits; empty for the one that is remembered already, under a newer text.
        version: of the text agreed to.
    """

    number: str
    version: int


class Recall(Effect, frozen=True, tag="recall"):
    """The civil ID this chat had us remember. Result: `Recalled`.

    For other dialogs: one tap then asks for it. Nothing is recalled under a text that has changed since.
    """


class Unremember(Effect, frozen=True, tag="unremember"):
    """The consent is taken back and the number deleted. Result: `Kept`."""


class ExportData(Effect, frozen=True, tag="export_data"):
    """A file with everything that is kept of this chat. Result: `Export`."""


class ForgetAll(Effect, frozen=True, tag="forget_all"):
    """Delete everything of this chat but what the books must keep. Result: `Forgotten`."""


class Kept(msgspec.Struct, frozen=True):
    """What is kept of a chat, in short.

    Attributes:
        number: the remembered civil ID, masked; empty for none.
        until: when it is deleted (epoch seconds).
        renew: the text has changed since the resident agreed.
        orders: how many orders lead to this chat.
        paid: how many of them were paid.
        reminders: how many dates it is reminded of.
    """

    number: str = ""
    until: int = 0
    renew: bool = False
    orders: int = 0
    paid: int = 0
    reminders: int = 0


class Remembered(msgspec.Struct, frozen=True):
    """A number is remembered: masked, and until when (epoch seconds)."""

    number: str
    until: int


class Recalled(msgspec.Struct, frozen=True):
    """The number in clear, empty for none."""

    number: str = ""


class RememberRefused(StrEnum):
    """Why nothing is remembered."""

    OUTDATED = "outdated"  # the text changed while it was read
    NOTHING = "nothing"  # no number was given and none is remembered any more


class Export(msgspec.Struct, frozen=True):
    """Address of the file, and until when it works (epoch seconds)."""

    url: str
    until: int


class Forgotten(msgspec.Struct, frozen=True):
    """What came of forgetting.

    Attributes:
        paying: reference of an order somebody may be paying right now: then nothing was deleted.
        stays: orders that still lead to this chat for a while, paid ones as a rule.
        until: when the last of them does not any more (epoch seconds).
    """

    paying: str = ""
    stays: int = 0
    until: int = 0
