"""What the outbox holds: things to say and effects to run, each with its chat, as bytes."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from bot.engine import Work
from bot.model import Chat, Outgoing
from bot.ports import Effect

_ENCODE: Final = msgspec.msgpack.Encoder().encode


class Job(msgspec.Struct, frozen=True, tag="job"):
    """An effect to run. ``key`` (``rev:n``) is unique in the chat; ``timeout`` in seconds.

    ``actor`` and ``origin`` as in `bot.ports.Asked`.
    """

    key: str
    language: str
    effect: msgspec.Raw
    timeout: float
    slow: bool
    actor: str = ""
    origin: str = ""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One entry of the outbox: an effect, or what is done in the chat in one go (`bot.runtime.wording.bundles`)."""

    chat: Chat
    body: tuple[Outgoing, ...] | Job


class Codec:
    """Writes and reads entries.

    Args:
        effects: every effect type the dialogs use.

    Attributes:
        encode: bytes of an entry.
    """

    def __init__(self, effects: Iterable[type[Effect]]) -> None:
        self.encode: Callable[[Entry], bytes] = _ENCODE
        self._entries = msgspec.msgpack.Decoder(Entry)
        kinds: list[Any] = list(effects)
        union: Any = kinds[0]
        for kind in kinds[1:]:
            union = union | kind
        self._effects: msgspec.msgpack.Decoder[Effect] = msgspec.msgpack.Decoder(union)

    def job(self, work: Work, language: str, actor: str, origin: str) -> Job:
        """An effect as it is stored."""
        effect = msgspec.Raw(_ENCODE(work.effect))
        return Job(work.key, language, effect, work.timeout, work.slow, actor, origin)

    def effect(self, job: Job) -> Effect:
        """The effect of ``job``."""
        return self._effects.decode(job.effect)

    def decode(self, data: bytes) -> Entry:
        """The entry of ``data``.

        Raises:
            msgspec.DecodeError: another release wrote it.
        """
        return self._entries.decode(data)
