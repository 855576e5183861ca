"""Our payment pages and the gateway's notifications."""

from bot.handlers.pay.routes import LIMIT, allowed, pay_routes

__all__ = ["LIMIT", "allowed", "pay_routes"]
