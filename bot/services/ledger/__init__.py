"""The ledger: orders, payment attempts and their histories, in SQLite or PostgreSQL."""

from bot.services.ledger.engine import default_url, migrate, open_engine
from bot.services.ledger.ledger import Ledger, Taken, Work
from bot.services.ledger.rows import (
    Attempt,
    AttemptStatus,
    Event,
    Link,
    NewOrder,
    Notice,
    Order,
    OrderStatus,
    RefundRow,
    RefundStatus,
)

__all__ = [
    "Attempt",
    "AttemptStatus",
    "Event",
    "Ledger",
    "Link",
    "NewOrder",
    "Notice",
    "Order",
    "OrderStatus",
    "RefundRow",
    "RefundStatus",
    "Taken",
    "Work",
    "default_url",
    "migrate",
    "open_engine",
]
