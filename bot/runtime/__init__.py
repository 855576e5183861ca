"""One event, one turn: load, step, commit, deliver."""

from bot.runtime.runtime import Runtime

__all__ = ["Runtime"]
