"""The pure step: dialogs, session, event, now → session, replies, effects."""

from bot.engine.book import Book
from bot.engine.step import awaited, step
from bot.engine.turn import Answered, Disarmed, Erased, Key, Reply, Said, Turn, Work

__all__ = [
    "Answered",
    "Book",
    "Disarmed",
    "Erased",
    "Key",
    "Reply",
    "Said",
    "Turn",
    "Work",
    "awaited",
    "step",
]
