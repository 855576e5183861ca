"""What Telegram shows of us before a word is said: the commands and who we are, in both languages.

Each text is read first and written only when it differs: Telegram answers 429 to bots that write the
same profile at every start.
"""

from collections.abc import Awaitable, Callable

import structlog
from aiogram import Bot
from aiogram.types import BotCommand, BotCommandScopeAllPrivateChats

from bot.handlers.telegram.errors import FAILURES
from bot.i18n.text import N_, Msg

log = structlog.get_logger(__name__)

Translate = Callable[[Msg, str], str]
"""``translate(msg, language)``: the text in ``ar`` or ``en``."""

COMMANDS = {
    "menu": N_("Main menu"),
    "back": N_("Back to the previous question"),
    "cancel": N_("Leave this service"),
    "violations": N_("Violations"),
    "renewal": N_("Renew residency"),
    "overstay": N_("Overstay and travel"),
    "family_join": N_("Bringing my family"),
    "company": N_("My company's workers"),
    "find_reference": N_("My MOI reference"),
    "receipts": N_("My receipts"),
    "reminders": N_("Reminders"),
    "real_link": N_("Is this link real?"),
    "mydata": N_("My data"),
    "forget": N_("Delete my data"),
    "signout": N_("Sign out"),
    "language": N_("Change the language"),
    "help": N_("Help"),
}
"""The commands that work in every state, every service among them; descriptions of 1 to 256 characters (setMyCommands)."""

ABOUT = N_(
    "Residents in Kuwait see their violations here, pay them and get a receipt.\n\n"
    "You will never be asked here for a bank card number, a PIN or a one-time code."
    " The same can be paid in Sahel."
)
"""Shown in an empty chat; with `INDEPENDENT` at most 512 characters (setMyDescription)."""

INDEPENDENT = N_("This is an independent service, not a government body.")

SHORT = N_("See and pay residents' violations in Kuwait, with a receipt.")
"""Shown on the profile; at most 120 characters (setMyShortDescription)."""

SHORT_INDEPENDENT = N_("Independent service: see and pay residents' violations in Kuwait, with a receipt.")

# Telegram's language_code → ours. The empty code is for every other language.
_LANGUAGES = {"": "ar", "ar": "ar", "en": "en"}


async def introduce(bot: Bot, translate: Translate, *, official: bool) -> None:
    """Set commands and descriptions. A failure is logged and the service goes on without.

    Args:
        bot: whose profile.
        translate: a text in ``ar`` or ``en``.
        official: an authority runs this service; otherwise the texts say that none does.
    """
    for code, language in _LANGUAGES.items():
        about = translate(ABOUT, language)
        if not official:
            about = f"{about}\n\n{translate(INDEPENDENT, language)}"
        short = translate(SHORT if official else SHORT_INDEPENDENT, language)
        commands = [
            BotCommand(command=name, description=translate(text, language)) for name, text in COMMANDS.items()
        ]
        await _attempt("commands", code, _commands(bot, code, commands))
        await _attempt("description", code, _about(bot, code, about))
        await _attempt("short description", code, _short(bot, code, short))


async def _commands(bot: Bot, code: str, wanted: list[BotCommand]) -> None:
    # Private chats only: elsewhere we do not work, so there is nothing to offer.
    scope = BotCommandScopeAllPrivateChats()
    known = await bot.get_my_commands(scope=scope, language_code=code)
    # Not `known != wanted`: aiogram's objects also compare the bot they came from.
    if [(it.command, it.description) for it in known] != [(it.command, it.description) for it in wanted]:
        await bot.set_my_commands(wanted, scope=scope, language_code=code)


async def _about(bot: Bot, code: str, wanted: str) -> None:
    if (await bot.get_my_description(language_code=code)).description != wanted:
        await bot.set_my_description(wanted, language_code=code)


async def _short(bot: Bot, code: str, wanted: str) -> None:
    if (await bot.get_my_short_description(language_code=code)).short_description != wanted:
        await bot.set_my_short_description(wanted, language_code=code)


async def _attempt(what: str, code: str, work: Awaitable[None]) -> None:
    try:
        await work
    except FAILURES as error:
        log.warning("telegram profile not set", what=what, language=code, error=type(error).__name__)
