"""What is left in the outbox is told entry by entry."""

from pathlib import Path
from typing import Any

from tests.chaos.outbox import lying
from tests.store.servers import one


async def test_each_entry_left_is_told_with_whose_it_is(tmp_path: Path) -> None:
    async with one(tmp_path) as servers:
        nodes: Any = [servers.nodes[0]]
        (node,) = nodes
        await node.xgroup_create("o:{1}", "out", "0", mkstream=True)
        held = await node.xadd("o:{1}", {"e": "a"})
        await node.xreadgroup("out", "somebody", {"o:{1}": ">"})
        left = await node.xadd("o:{1}", {"e": "b"})
        await node.xgroup_create("o:{2}", "out", "0", mkstream=True)
        told = await lying([("o:{1}", node), (b"o:{2}", node)])
    assert len(told) == 2
    assert told[0].startswith(f"o:{{1}} {held.decode()}: somebody's, silent for ")
    assert told[0].endswith("handed out 1 times")
    assert told[1] == f"o:{{1}} {left.decode()}: nobody's"
