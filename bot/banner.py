"""What ``iqamati run`` prints once it runs: where to go, whom to try, how to stop."""

from bot.config import Settings
from bot.sandbox.cast import DEMO, FIRST


def banner(settings: Settings, *, sandbox: bool) -> str:
    """At most twelve lines."""
    lines = [f"Iqamati is running. Open the chat: {settings.base_url}/"]
    if sandbox:
        lines.append("Nothing here is real: sandbox registry and payment page. Civil IDs to try:")
        lines += [f"  {person.civil_id}  {person.note.en}" for person in DEMO if person.civil_id in FIRST]
    if not settings.telegram_token.get_secret_value():
        lines.append("Telegram: off (set TELEGRAM_TOKEN).")
    elif settings.public_url:
        lines.append("Telegram: on, by webhook.")
    else:
        lines.append("Telegram: on, by long polling.")
    lines.append("In a terminal: .venv/bin/iqamati chat")
    lines.append("Stop with Ctrl-C; the next run carries on with the same chats.")
    return "\n".join(lines)
