"""The ledger: orders, payment attempts and their histories, in SQLite or PostgreSQL."""

from bot.services.ledger.base import Taken
from bot.services.ledger.engine import default_url, migrate, open_engine
from bot.services.ledger.ledger import Ledger, Work
from bot.services.ledger.lookups import Capture, Claim, PaidBack
from bot.services.ledger.queries import Reads
from bot.services.ledger.rows import (
    Attempt,
    AttemptStatus,
    Event,
    Link,
    NewOrder,
    Notice,
    Order,
    OrderStatus,
    Posting,
    PostingStatus,
    RefundRow,
    RefundStatus,
)

__all__ = [
    "Attempt",
    "AttemptStatus",
    "Capture",
    "Claim",
    "Event",
    "Ledger",
    "Link",
    "NewOrder",
    "Notice",
    "Order",
    "OrderStatus",
    "PaidBack",
    "Posting",
    "PostingStatus",
    "Reads",
    "RefundRow",
    "RefundStatus",
    "Taken",
    "Work",
    "default_url",
    "migrate",
    "open_engine",
]
