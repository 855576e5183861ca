"""What the engine itself says, the same in every dialog."""

from typing import Final

from bot.i18n.text import N_, Arg, Ltr, Text

BACK: Final = N_("Back")
MENU: Final = N_("Menu")
RESUME: Final = N_("Carry on")
OVER: Final = N_("Start over")
NEXT_PAGE: Final = N_("Next")
PREVIOUS_PAGE: Final = N_("Previous")

CHOSEN: Final = N_("{noun}: {choice} ✓")
CHOSEN_BELOW: Final = N_("✓ {choice}")
PICKED: Final = N_("✓ {choice}")
UNPICKED: Final = N_("{choice}")

STALE: Final = N_("That button belongs to an earlier question. Here is the current one.")
NOT_A_CHOICE: Final = N_("I did not understand that. Press one of the buttons, or write its number.")
NOT_A_CHOICE_AGAIN: Final = N_(
    "Still not clear to me. Write 1 for the first button, 2 for the second, or “menu”."
)
LOST: Final = N_("To start again at any time write “menu”; “help” tells what I can do.")
TOO_LONG: Final = N_("That message is too long for me. One number or one choice is enough.")
READS_TEXT: Final = N_("I can read text and button presses here, not photos, voice or files.")
AWAITS_FILE: Final = N_("Here I wait for a file. Attach it and send it, or press one of the buttons.")
AS_FILE: Final = N_("I cannot read a picture of it. Send the file itself, as it is on your device.")
FILE_LARGE: Final = N_(
    "That file is larger than {size} MB. Send a smaller one, or the same in several parts."
)
FILE_UNREAD: Final = N_(
    "I can read tables here: a file that ends in {excel} or {csv}. Save it as one, then send it again."
)
TABLES: Final = Text(FILE_UNREAD, {"excel": Ltr(".xlsx"), "csv": Ltr(".csv")})
FILE_LOST: Final = N_("The file did not reach me whole. Please send it again.")
WORKING: Final = N_("One moment, I am still asking. I will write as soon as there is an answer.")
LANGUAGE_SET: Final = N_("From now on in English.")
SIGNED_OUT: Final = N_("You are signed out. Nobody can act in your name from this chat.")
NOT_SIGNED_IN: Final = N_("Nobody is signed in here.")
CHANGED: Final = N_("This service changed since your last message; we begin it again.")
CARRY_ON: Final = N_("You were in the middle of this: {title}.")
HELP: Final = N_(
    "Send a civil ID and I show what is owed on it.\n"
    "{menu} the services\n{back} the question before\n{cancel} stop what we are doing\n"
    "{language} العربية\n{help} this text"
)
UNKNOWN_COMMAND: Final = N_(
    "I do not know that command. These work everywhere: {menu} {back} {cancel} {language} {help}"
)
COMMANDS: Final[dict[str, Arg]] = {
    name: Ltr(f"/{name}") for name in ("menu", "back", "cancel", "language", "help")
}
"""Arguments of the two texts above: isolated, so that the slash stays before the word in Arabic."""
