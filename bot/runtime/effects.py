"""An effect under way, and what comes of it: every end of one is an outcome."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from bot.errors import BotError, Forbidden, OutsideError, Unsigned
from bot.model import Outcome
from bot.ports import Asked, Effect, Executor, Failed
from bot.runtime.company import Company
from bot.spec import Fault

log = structlog.get_logger(__name__)


async def outcome(
    company: Company, work: Coroutine[Any, Any, tuple[object, str]], done: Callable[[], None]
) -> Outcome:
    """What ``work`` came to; every end of an effect is an outcome. ``done`` is told at once."""
    try:
        value, failure = await work
    except asyncio.CancelledError:
        if not company.late or company.task.uncancel():  # the process ends
            raise
        value, failure = None, Fault.TIMEOUT.value
    done()
    key = company.job.key
    return Outcome(id=f"outcome:{key}", chat=company.chat, key=key, value=value, failure=failure)


async def called(executor: Executor, effect: Effect, asked: Asked) -> tuple[object, str]:
    """The effect's value, or the word of its failure."""
    try:
        return await executor(effect, asked), ""
    except Failed as refusal:
        return None, refusal.word
    except OutsideError as error:
        log.warning(
            "effect failed", effect=type(effect).__name__, error=type(error).__name__, service=error.service
        )
        return None, Fault.UNAVAILABLE.value
    except Unsigned:
        return None, Fault.UNSIGNED.value
    except Forbidden:
        log.warning("effect forbidden", effect=type(effect).__name__)
        return None, Fault.FORBIDDEN.value
    except BotError as error:
        log.warning("effect failed", effect=type(effect).__name__, error=type(error).__name__)
        return None, Fault.UNAVAILABLE.value
    except Exception as error:  # noqa: BLE001 - whatever happened, the resident gets an answer
        # The type only: an exception's text may quote personal data.
        log.error("effect broke", effect=type(effect).__name__, error=type(error).__name__)  # noqa: TRY400
        return None, Fault.BROKEN.value
