"""A turn asks Redis for the same whatever is stored, and on however many shards; a backlog of a dead process drains."""

from pathlib import Path

import msgspec
import pytest

from bench.scale.backlog import drained
from bench.size import fill
from bench.size.measure import Share, Visits, rounds, turns
from bench.size.process import chat, started
from bench.size.servers import Deployment, cluster, one

TURNS = 200
DUE = 500
HELD = 3_000


async def _costs(servers: Deployment, stored: int) -> tuple[float, float, dict[str, float]]:
    """Commands of a turn, those inside its scripts, and those of each round."""
    process = await started(servers.url, f"at{stored}")
    await fill.store(process, await fill.conversation(process), range(stored))
    found = await turns(process, servers, Visits(process, f"v{stored}", Share(stored)), TURNS, 4)
    quiet = await rounds(process, servers)
    await process.close()
    return found.calls, found.inner, {name: each.calls for name, each in quiet.items()}


async def test_a_turn_costs_the_same_with_ten_and_with_ten_thousand_sessions(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    found: list[tuple[float, float, dict[str, float]]] = []
    for stored in (10, 10_000):
        async with one(tmp_path_factory.mktemp("s")) as servers:
            found.append(await _costs(servers, stored))
    (few, inside_few, rounds_few), (many, inside_many, rounds_many) = found
    assert few == many == 2.0
    assert inside_many == pytest.approx(inside_few, rel=0.1)
    assert rounds_few == rounds_many
    assert max(rounds_many.values()) <= 256


@pytest.mark.cluster
async def test_shards_share_the_chats(tmp_path: Path) -> None:
    async with cluster(tmp_path, 3) as servers:
        calls, _, _ = await _costs(servers, 1_000)
        keys = [int(await node.dbsize()) for node in servers.nodes]
    assert calls == 2.0
    assert min(keys) > sum(keys) / 3 / 1.5


async def test_timers_that_are_due_together_are_looked_at_together(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A few questions to Redis for all of them, and one load each."""
    async with one(tmp_path_factory.mktemp("t")) as servers:
        process = await started(servers.url, "timers")
        session = msgspec.structs.replace(await fill.conversation(process), due=1)
        for number in range(DUE):
            await process.store.commit(chat(number), 0, session, [])
        await process.store.flush()
        before = await servers.counts()
        assert len(await process.store.due(2)) == DUE
        assert (await servers.counts()).since(before).reads <= 8  # 256 answers and DUE more, in a few pieces
        assert await process.sweeper.timers() == DUE
        await process.close()


async def test_recovery_sees_what_stands_behind_entries_that_others_hold(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Redis looks at a thousand entries a call: a dead process's ones may stand behind more of a living one's."""
    async with one(tmp_path_factory.mktemp("r")) as servers:
        dead, heir = await started(servers.url, "dead"), await started(servers.url, "heir")
        session, stream = await fill.conversation(heir), f"o:{dead.store.place(chat(0)).tag}"
        (node,) = servers.nodes
        await node.xgroup_create(stream, "out", "0", mkstream=True)
        for number in range(HELD):
            await node.xadd(stream, {"d": b"", "n": str(number)})
        await node.xreadgroup("out", "alive", {stream: ">"}, count=HELD)  # just now: it lives
        (left,) = await dead.store.commit(chat(0), 0, session, [b"said"])
        await node.xclaim(stream, "out", "dead", 0, [left], idle=3_600_000, justid=True)
        found: list[str] = []
        for _ in range(1 + HELD // 1000):
            found += [entry_id for _, entry_id, _ in await heir.store.abandoned(60.0)]
        assert found == [left]
        for process in (dead, heir):
            await process.close()


async def test_what_a_dead_process_left_is_delivered_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with one(tmp_path_factory.mktemp("b")) as servers:
        found = await drained(servers, 2_000, patient=False)
    assert (found.missing, found.doubled, found.disordered) == (0, 0, 0)
