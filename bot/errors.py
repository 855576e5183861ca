"""Every error of our own, in one tree.

BotError
├── ConfigError          a setting is missing or wrong; its text is one line for the operator
├── StoreAway            Redis does not answer; nothing was saved, the channel should redeliver
│   └── LeftToNewer      likewise, because the session is for a process of a newer release
├── TooLarge             a file is larger than files may be
├── Conflict             another turn of this chat was saved first; run the turn again
├── SessionFault         a stored session cannot be used now
│   ├── Unreadable       it cannot be decrypted or decoded; it is quarantined
│   └── FromNewer        a newer release wrote it; it is left as it is
├── OutsideError         an outside system did not do what was asked
│   ├── Unavailable      it did not answer, or answered 5xx; worth another try later
│   ├── Declined         it understood and said no; the reason is a word of its contract
│   └── Malformed        it answered something its contract does not allow
└── DeliveryError        a channel did not take a message
    ├── Unreachable      the resident blocked us or is gone; never retried
    ├── RetryLater       asked to wait; holds the seconds
    └── Rejected         this one message can never be sent; logged and dropped
"""

from typing import Final

import msgspec

UNDECODABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are not what is expected: another shape, no text, nested without end."""


class BotError(Exception):
    """Root of everything this project raises on purpose."""


class ConfigError(BotError):
    """A setting is missing or wrong. The text is one line, meant for the operator."""


class StoreAway(BotError):
    """Redis does not answer. Nothing was saved."""


class LeftToNewer(StoreAway):
    """The session belongs to a newer release. Nothing was saved: one of its processes has to take the event."""


class TooLarge(BotError):
    """A file has more bytes than files may have."""


class Conflict(BotError):
    """Another turn of the same chat was committed first."""


class SessionFault(BotError):
    """A stored session cannot be used."""


class Unreadable(SessionFault):
    """The stored bytes cannot be decrypted or decoded."""


class FromNewer(SessionFault):
    """The session was written by a newer release than this process runs."""


class Unsigned(BotError):
    """Nobody is signed in (any more), and the operation needs to know who asks."""


class Forbidden(BotError):
    """Whoever is signed in may not do this to this person."""


class OutsideError(BotError):
    """An outside system did not do what was asked.

    Args:
        service: short name for logs and messages, such as ``registry``.
        reason: what happened, without personal data.
    """

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(f"{service}: {reason}")
        self.service = service
        self.reason = reason


class Unavailable(OutsideError):
    """No answer, or a 5xx one. The same request may succeed later."""


class Declined(OutsideError):
    """The service understood the request and refused it; ``reason`` is a word of its contract."""


class Malformed(OutsideError):
    """The service answered something its contract does not allow."""


class DeliveryError(BotError):
    """A channel did not take a message."""


class Unreachable(DeliveryError):
    """The resident blocked the bot or deleted the account. Not worth a retry."""


class RetryLater(DeliveryError):
    """The channel asked to wait.

    Args:
        after: seconds to wait before the next try.
    """

    def __init__(self, after: float) -> None:
        super().__init__(f"retry after {after:g} s")
        self.after = after


class Rejected(DeliveryError):
    """The channel will never take this message (malformed, too old to edit)."""
