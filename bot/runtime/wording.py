"""From what the engine says to what a channel sends: one language's final text."""

from collections.abc import Iterable

from bot.engine import Answered, Disarmed, Erased, Key, Reply, Said
from bot.i18n.render import Renderer
from bot.model import Button, Disarm, Erase, Outgoing, Say, Settle


def word(reply: Reply, key: str, language: str, renderer: Renderer) -> Outgoing:
    """``reply`` in ``language``; ``key`` (``rev:n``) makes a repeated delivery recognisable."""
    match reply:
        case Said():
            rows = tuple([tuple([_button(k, language, renderer) for k in row]) for row in reply.rows])
            return Say(key, language, renderer.render(reply.text, language), rows, reply.edits, reply.awaits)
        case Answered():
            return Settle(key, language, reply.source, renderer.render(reply.text, language))
        case Disarmed():
            return Disarm(key, reply.source)
        case Erased():
            return Erase(key, reply.source)


def _button(key: Key, language: str, renderer: Renderer) -> Button:
    return Button(renderer.plain(key.label, language), key.token, key.url)


def bundles(said: Iterable[Outgoing]) -> list[tuple[Outgoing, ...]]:
    """What goes together: each message with the changes to earlier ones before it, which may be made again without harm."""
    found: list[tuple[Outgoing, ...]] = []
    together: list[Outgoing] = []
    for outgoing in said:
        together.append(outgoing)
        if isinstance(outgoing, Say):
            found.append(tuple(together))
            together = []
    if together:
        found.append(tuple(together))
    return found
