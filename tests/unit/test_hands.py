"""What is drawn and read beside the loop."""

import asyncio
import threading

from bot.serve import HANDS, few_hands


async def test_few_threads_draw_and_read() -> None:
    few_hands()
    all_at_once = threading.Barrier(HANDS)  # so that one does not do it all

    def hand(number: int) -> str:
        if number < HANDS:
            all_at_once.wait(30)
        return threading.current_thread().name

    names = await asyncio.gather(*(asyncio.to_thread(hand, number) for number in range(20)))
    assert len(set(names)) == HANDS
