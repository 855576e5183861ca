"""What the web chat serves that is the same for everybody: the page, its static files, its headers."""

import gzip
import hashlib
import html
from collections.abc import Callable
from importlib.resources import files
from string import Template
from typing import Any, Final, NamedTuple

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.i18n.catalog import LANGUAGES
from bot.i18n.text import N_, Msg

Translate = Callable[[Msg, str], str]
"""A message in ``ar`` or ``en``; `bot.i18n.catalog.Catalog.text`."""

WORDS: Final[dict[str, Msg]] = {
    "name": N_("Iqamati"),
    "description": N_("Fines: find them, pay them and keep the receipt, in one conversation."),
    "unofficial": N_("Unofficial service"),
    "skip": N_("Skip to the message field"),
    "conversation": N_("Conversation"),
    "messages": N_("Messages"),
    "you_said": N_("You:"),
    "it_said": N_("Iqamati:"),
    "choices": N_("Choices"),
    "write": N_("Write a message"),
    "send": N_("Send"),
    "sending": N_("Sending…"),
    "unsent": N_("Not sent. Try again"),
    "attach": N_("Attach a file"),
    "file_failed": N_("Your file did not reach us. Choose it again."),
    "press_failed": N_("That did not reach us. Press again."),
    "lost": N_("Connection lost. Reconnecting…"),
    "cookies": N_("The chat needs cookies. Allow them for this site, then open it again."),
    "typing": N_("Iqamati is typing…"),
    "newest": N_("Go to the newest message"),
    "today": N_("Today"),
    "yesterday": N_("Yesterday"),
    "copy": N_("Copy"),
    "copied": N_("Copied"),
    "new_tab": N_("opens in a new tab"),
    "erased": N_("Your message was deleted to protect your data."),
    "sent_photo": N_("Photo"),
    "sent_voice": N_("Voice message"),
    "sent_video": N_("Video"),
    "sent_document": N_("File"),
    "noscript": N_("This chat needs JavaScript. Turn it on in your browser, then open the page again."),
}
"""The page's own words, by the names its scripts and template use."""

# Never translated: who looks for their language looks for its own name.
_SWITCH: Final = {
    "ar": {"switch": "English", "switch_label": "Switch to English"},
    "en": {"switch": "العربية", "switch_label": "التبديل إلى العربية"},
}

_TYPES: Final = {
    "chat.css": "text/css; charset=utf-8",
    "text.js": "text/javascript; charset=utf-8",
    "wire.js": "text/javascript; charset=utf-8",
    "chat.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Every static file there is; nothing else is looked up by a name from outside."""

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""OWASP Secure Headers Project, read 2026-01. Defaults: a response may set its own."""


class SecureHeaders:
    """Middleware that adds `SECURITY_HEADERS` to every response that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, secured)


class Asset(NamedTuple):
    """A static file. ``version`` changes with its content and is part of its address."""

    body: bytes
    packed: bytes
    media_type: str
    version: str


class Page:
    """The page and its static files, read once.

    Args:
        translate: gives the page's words.
        operator: who runs the service, as residents read it; may be empty.
        authority: the body that authorised it; the page says "unofficial" when empty.
        file_limit: bytes of a file.
    """

    def __init__(self, translate: Translate, operator: str, authority: str, file_limit: int) -> None:
        folder = files("bot.web")
        self._template = Template(folder.joinpath("chat.html").read_text(encoding="utf-8"))
        self.assets = {
            name: _asset(folder.joinpath(name).read_bytes(), kind) for name, kind in _TYPES.items()
        }
        self._words = {
            language: {name: str(translate(msg, language)) for name, msg in WORDS.items()} | _SWITCH[language]
            for language in LANGUAGES
        }
        self._operator = operator
        self._authority = authority
        self._file_limit = file_limit

    def render(self, asked: str) -> str:
        """The page's HTML.

        Args:
            asked: language the address names, or empty.
        """
        lang = asked or LANGUAGES[0]
        words = self._words[lang]
        fields: dict[str, str] = {name: words[name] for name in ("name", "description", "skip")} | {
            "lang": lang,
            "dir": "rtl" if lang == "ar" else "ltr",
            "noscript_ar": self._words["ar"]["noscript"],
            "noscript_en": self._words["en"]["noscript"],
            "icon": self._address("icon.svg"),
            "style": self._address("chat.css"),
            "text_script": self._address("text.js"),
            "wire_script": self._address("wire.js"),
            "script": self._address("chat.js"),
        }
        data: dict[str, Any] = {
            "asked": asked,
            "lang": lang,
            "words": self._words,
            "operator": self._operator,
            "authority": self._authority,
            "limit": self._file_limit,
        }
        escaped = {name: html.escape(value) for name, value in fields.items()}
        # Inside a script element only "<" can end it or open a comment.
        block = msgspec.json.encode(data).decode().replace("<", "\\u003c")
        return self._template.substitute(escaped, words=block)

    def hello(self, language: str, now: int) -> bytes:
        """The first event of every stream, as JSON."""
        return msgspec.json.encode(
            {
                "language": language,
                "name": self._words[language or LANGUAGES[0]]["name"],
                "operator": self._operator,
                "authority": self._authority,
                "now": now,
            }
        )

    def _address(self, name: str) -> str:
        return f"/static/{name}?v={self.assets[name].version}"


def _asset(body: bytes, media_type: str) -> Asset:
    return Asset(body, gzip.compress(body, mtime=0), media_type, hashlib.sha256(body).hexdigest()[:12])
