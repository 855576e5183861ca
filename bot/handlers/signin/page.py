"""What the sign-in pages say. No script; every value is escaped."""

from collections.abc import Mapping
from html import escape
from typing import Final, Protocol

from bot.handlers.pay.page import Pages, Render
from bot.i18n.text import N_, Arg, Code, Hour, Ltr, Text, say
from bot.model import Chat

_CHANNELS: Final[Mapping[str, Text]] = {
    "telegram": say(N_("Telegram")),
    "whatsapp": say(N_("WhatsApp")),
    "web": say(N_("the chat on this site")),
    "terminal": say(N_("the terminal")),
}

_TITLE: Final = say(N_("Sign in"))


class Link(Protocol):
    """A sign-in as its page shows it; `bot.services.identity.Link`, whose docstring holds."""

    @property
    def ref(self) -> str: ...
    @property
    def chat(self) -> Chat: ...
    @property
    def language(self) -> str: ...
    @property
    def at(self) -> int: ...
    @property
    def until(self) -> int: ...
    @property
    def host(self) -> str: ...


class SignInPages(Pages):
    """Builds the pages.

    Args:
        render: a text in a language, as spans.
    """

    def __init__(self, render: Render) -> None:
        super().__init__(render, "")

    def ask(self, link: Link, language: str) -> str:
        """Who asks and where the button leads; it is what a link previewer sees, too."""
        go = self._text(say(N_("Go on to sign in")), language)
        parts = [
            self._p(
                say(
                    N_("A chat asked for this at {at}: {channel}, sign-in {ref}."),
                    at=Hour(link.at),
                    channel=channel(link.chat),
                    ref=Code(link.ref),
                ),
                language,
            ),
            self._p(
                say(N_("If you did not ask for this in your own chat, close this page.")), language, "note"
            ),
            f'<form method="post" action="?lang={language}"><button>{go}</button></form>',
            self._p(say(N_("The button opens the sign-in page on {host}."), host=Ltr(link.host)), language),
            self._p(say(N_("The link works until {until}."), until=Hour(link.until)), language),
            self._p(say(N_("We never ask for a password here or in the chat.")), language),
        ]
        return self.page(language, _TITLE, "".join(parts))

    def code(self, link: Link, code: str, language: str, back: str) -> str:
        """The code for the chat; ``back`` is the chat's address."""
        spaced = escape(f"{code[:3]} {code[3:]}")
        parts = [
            self._p(
                say(N_("Enter this code in your chat: {channel}."), channel=channel(link.chat)), language
            ),
            f'<p class="digits"><bdi dir="ltr">{spaced}</bdi></p>',
            self._p(
                say(
                    N_("It belongs to sign-in {ref} and works until {until}."),
                    ref=Code(link.ref),
                    until=Hour(link.until),
                ),
                language,
            ),
            self._p(
                say(N_("Give it to nobody: whoever asks you for it wants to act in your name.")),
                language,
                "note",
            ),
            self._way(say(N_("Back to the chat")), back, language),
        ]
        return self.page(language, say(N_("One more step")), "".join(parts))


def channel(chat: Chat) -> Arg:
    """The channel as residents call it."""
    return _CHANNELS.get(chat.channel, say(N_("a chat")))


Said = tuple[Text, tuple[Text, ...]]
"""Title and sentences."""

_NEW_LINK: Final = say(N_("Ask for a new link in the chat."))

UNKNOWN: Final[Said] = (
    say(N_("This link is not known")),
    (
        say(N_("No sign-in belongs to this link, or its five minutes are over. Nobody was signed in.")),
        _NEW_LINK,
    ),
)
USED: Final[Said] = (
    say(N_("This link was used")),
    (
        say(N_("Somebody has signed in through this link; it works once.")),
        say(N_("If that was you, enter the code in your chat. If not, ask for a new link there.")),
    ),
)
LOST: Final[Said] = (
    say(N_("Nobody was signed in")),
    (
        say(
            N_(
                "This page does not belong to a sign-in that was begun in this browser, or it was opened once before."
            )
        ),
        say(N_("Open the link from your own chat in this browser, or ask there for a new one.")),
    ),
)
LEFT: Final[Said] = (
    say(N_("Nobody was signed in")),
    (say(N_("The sign-in page was left without signing in.")),),
)
DOWN: Final[Said] = (
    say(N_("The sign-in page does not answer")),
    (
        say(N_("The sign-in page does not answer now, so nobody was signed in.")),
        say(N_("Try again in a few minutes.")),
    ),
)
REFUSED: Final[Said] = (
    say(N_("Nobody was signed in")),
    (
        say(N_("The answer of the sign-in page could not be verified, so it was not believed.")),
        _NEW_LINK,
    ),
)
NOBODY: Final[Said] = (
    say(N_("Nobody was signed in")),
    (
        say(N_("The sign-in page did not name a valid civil ID, and only that tells us who you are.")),
        say(N_("Signing in with another account may help.")),
    ),
)
ELSEWHERE: Final[Said] = (
    say(N_("Nobody was signed in")),
    (say(N_("Open the link from your chat and press the button on our page.")),),
)
NOT_NOW: Final[Said] = (
    say(N_("This page cannot be shown now")),
    (say(N_("Nobody was signed in.")), say(N_("Try again in a few minutes."))),
)
