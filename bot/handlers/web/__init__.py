"""The web chat: its page, a stream of the chat's log to it, and what the resident sends from it."""

from bot.handlers.web.chat import web_routes

__all__ = ["web_routes"]
