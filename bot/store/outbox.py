"""The outboxes of all partitions: what this process delivered, what it has in hand, and what others left behind.

Keys of a partition: ``o:{p}`` the stream, with its group ``out``; each process is a consumer of it.
"""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError

from bot.crypto import Keyring
from bot.errors import StoreAway, Unreadable
from bot.store.away import away
from bot.store.keys import PARTITIONS
from bot.store.pipe import Arg
from bot.store.pipes import Command, Pipes, Script

log = structlog.get_logger(__name__)

NEVER: Final = 24 * 3600
"""Seconds of silence that nobody keeps."""
FORGOTTEN: Final = 24 * 3600
"""Seconds after which the name of a silent process is forgotten."""
GROUP: Final = "out"
_NO_GROUP: Final = "NOGROUP"
_SCRIPTS: Final = files("bot.store") / "lua"


def script_text(name: str) -> str:
    """A script of ``lua/``."""
    return (_SCRIPTS / f"{name}.lua").read_text("utf-8")


class Outboxes:
    """The outboxes.

    Args:
        redis: a client that returns bytes.
        keyring: seals everything.
        consumer: this process's name in the outboxes' groups.
        partitions: number of partitions.
    """

    def __init__(
        self, redis: Redis | RedisCluster, keyring: Keyring, consumer: str, partitions: int = PARTITIONS
    ) -> None:
        self._redis: Any = redis  # redis-py's own annotations are incomplete under strict checking
        self._keyring = keyring
        self._consumer = consumer
        self._tags = [f"{{p{number:03d}}}" for number in range(partitions)]
        # Notes by partition. They stay until Redis has confirmed them: sending one twice does no harm.
        self._delivered: dict[str, set[str]] = {}
        self._looked: list[str | bytes] = ["0-0"] * partitions
        """How far recovery has looked through each outbox; `0-0` again at its end."""
        self._pipes = Pipes(redis)
        self._partly = False
        """Whether some server of several is away."""
        self._done, self._claim, self._tidy = (
            Script(self._pipes, script_text("done")),
            Script(self._pipes, script_text("claim")),
            Script(self._pipes, script_text("tidy")),
        )

    def delivered(self, tag: str, entry_id: str) -> None:
        """Note a delivery; the note rides along with the partition's next commit or `flush`."""
        self._delivered.setdefault(tag, set()).add(entry_id)

    async def flush(self) -> None:
        """Send the notes of deliveries that no commit took along, in one batch."""
        notes = {tag: tuple(ids) for tag, ids in self._delivered.items()}
        if not notes:
            return
        # In one piece: half a note, kept by a primary's successor, would leave an entry that is there and nobody's.
        answers = await self._some([(self._done, f"o:{tag}", ids) for tag, ids in notes.items()])
        for (tag, ids), answer in zip(notes.items(), answers, strict=True):
            if not isinstance(answer, RedisError):
                self._noted(tag, ids)

    def _noted(self, tag: str, ids: Iterable[str]) -> None:
        rest = self._delivered.get(tag)
        if rest is None:
            return
        rest.difference_update(ids)
        if not rest:
            del self._delivered[tag]

    async def hold(self, held: Iterable[tuple[str, str]]) -> None:
        """Tell other processes that the entries (tag, id) are still being worked on here."""
        await self._mine(held, "JUSTID")

    async def let_go(self, left: Iterable[tuple[str, str]], idle: float) -> None:
        """Give the entries (tag, id) away: whoever looks next finds them idle for ``idle`` seconds."""
        await self._mine(left, "IDLE", int(idle * 1000), "JUSTID")

    async def _mine(self, entries: Iterable[tuple[str, str]], *how: str | int) -> None:
        by_tag: dict[str, list[str]] = {}
        for tag, entry_id in entries:
            by_tag.setdefault(tag, []).append(entry_id)
        if not by_tag:
            return
        commands: list[Command] = []
        for tag, ids in by_tag.items():
            commands.append(("XCLAIM", f"o:{tag}", (GROUP, self._consumer, 0, *ids, *how)))
        await self.ask(commands)

    async def claim(
        self, tag: str, ids: Sequence[str], idle: float
    ) -> tuple[set[str], list[tuple[str, bytes]]]:
        """Take over those of ``ids`` that nobody has worked on for ``idle`` seconds, unless their server was away meanwhile.

        Returns:
            The ids that are gone (delivered meanwhile), and the entries taken, opened.
        """
        stream = f"o:{tag}"
        args: tuple[Arg, ...] = (self._consumer, self._least(stream, idle), *ids)
        with away():
            (answer,) = await self._pipes.each([(self._claim, stream, args)], again=False)
            if isinstance(answer, RedisError):
                raise answer
        gone, taken = answer
        noted = self._delivered.get(tag, ())  # delivered here: only the note is still under way
        opened = self._opened(tag, taken)
        delivered = {entry_id for entry_id, _ in opened if entry_id in noted}
        return {i.decode() for i in gone} | delivered, [row for row in opened if row[0] not in delivered]

    async def abandoned(self, idle: float) -> list[tuple[str, str, bytes]]:
        """Take over entries that nobody has worked on for ``idle`` seconds, of every partition whose server is there.

        Where it was away meanwhile, nobody could give a sign of life: there nothing is taken over until it was there for
        as long.

        Returns:
            (tag, id, entry), oldest first within a partition.

        Raises:
            StoreAway: no server could be asked.
        """
        tags = self._tags
        # Each round goes on where the last one stopped looking: behind many entries that others hold, too.
        commands: list[Command] = []
        for tag, since in zip(tags, self._looked, strict=True):
            stream = f"o:{tag}"
            least = self._least(stream, idle)
            commands.append(("XAUTOCLAIM", stream, (GROUP, self._consumer, least, since, "COUNT", 100)))
        answers = await self._some(commands, again=False)
        found: list[tuple[str, str, bytes]] = []
        for number, (tag, answer) in enumerate(zip(tags, answers, strict=True)):
            if isinstance(answer, RedisError):
                continue  # it is away, or the partition has no outbox yet
            self._looked[number] = answer[0]
            rows = [(entry_id, fields[1]) for entry_id, fields in answer[1] if fields]
            noted = self._delivered.get(tag, ())  # delivered here: only the note is still under way
            found += [
                (tag, entry_id, data) for entry_id, data in self._opened(tag, rows) if entry_id not in noted
            ]
        return found

    def _least(self, stream: str, idle: float) -> int:
        """Milliseconds of silence after which an entry of ``stream`` is taken over."""
        return int((NEVER if self._pipes.poorly(stream, idle) else idle) * 1000)

    def _opened(self, tag: str, rows: Iterable[Sequence[bytes]]) -> list[tuple[str, bytes]]:
        opened: list[tuple[str, bytes]] = []
        for entry_id, sealed in rows:
            try:
                opened.append((entry_id.decode(), self._unsealed(sealed, f"o:{tag}".encode())))
            except Unreadable:
                log.error("outbox entry unreadable", stream=f"o:{tag}", id=entry_id.decode())  # noqa: TRY400 - its text says no more
        return opened

    def _unsealed(self, sealed: bytes, bound: bytes) -> bytes:
        try:
            return self._keyring.open(sealed, bound)
        except ValueError:  # cut within its nonce
            raise Unreadable("too short to be sealed") from None

    async def tidy(self, idle: float = FORGOTTEN) -> int:
        """Forget processes' names in the outboxes' groups that were silent for ``idle`` seconds.

        Returns:
            How many, of every partition whose server is there.

        Raises:
            StoreAway: no server could be asked.
        """
        silent = int(idle * 1000)
        answers = await self._some([(self._tidy, f"o:{tag}", (silent,)) for tag in self._tags], again=False)
        return sum(answer for answer in answers if not isinstance(answer, RedisError))

    async def _some(self, commands: Sequence[Command], *, again: bool = True) -> list[Any]:
        """Answers of ``commands``; a `RedisError` each where a server is away, which must not hold up the others.

        Raises:
            StoreAway: none was answered.
        """
        with away():
            answers = await self._pipes.each(commands, again=again)
        failed = [each for each in answers if isinstance(each, RedisError) and str(each) != _NO_GROUP]
        if failed and len(failed) == len(answers):
            raise StoreAway(str(failed[0]))
        if bool(failed) is not self._partly:
            self._partly = bool(failed)
            log.warning("part of the store is away" if failed else "all of the store is there again")
        return answers

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Answers of ``commands``, all of them sound.

        Raises:
            StoreAway: one of them failed.
        """
        with away():
            answers = await self._pipes.all(commands)
            for answer in answers:
                if isinstance(answer, RedisError):
                    raise answer
        return answers
