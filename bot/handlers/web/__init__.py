"""The web chat: its page, a stream of the chat's log to it, and what the resident sends from it."""

from bot.handlers.web.chat import web_routes
from bot.handlers.web.page import Page

__all__ = ["Page", "web_routes"]
