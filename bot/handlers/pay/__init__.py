"""Our payment pages, the gateways' notifications, and receipts on paper."""

from bot.handlers.pay.receipt import receipt_routes
from bot.handlers.pay.routes import LIMIT, allowed, pay_routes

__all__ = ["LIMIT", "allowed", "pay_routes", "receipt_routes"]
