"""The ledger's tables: what money did, and why we believe it.

Amounts are integer fils, times whole epoch seconds (UTC). Nothing here names a person in clear: a chat is
sealed (`bot.crypto.Keyring`) beside its blind name, a subject is kept masked, a token as its SHA-256.

Four indexes carry rules that must hold whatever the code does:

- ``uq_order_items_live_number``: a fine, or a residency to renew, is in one live order at most;
- ``uq_attempts_one_paid``: an order is paid once;
- ``uq_attempts_one_open``: an order has one payment page open at a time;
- ``uq_refunds_one_open``: an attempt has one refund under way at a time.

The partial ``ix_`` indexes hold what the rounds look for (`bot.services.orders.sweep`, `bot.services.privacy.retention`),
so that a pass with nothing to do costs the same in a ledger of any size.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    literal_column,
    text,
)

OPEN_ATTEMPTS = ("CREATED", "LINKED", "PENDING", "UNKNOWN")
"""Attempts of which the gateway has not said the last word."""

OPEN_REFUNDS = ("asked", "pending", "unknown")
"""Refunds of which the gateway has not said the last word."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite numbers rows by itself only in a column declared INTEGER, which there is 64 bits wide too.
_ID = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[int]:
    return Column("id", _ID, primary_key=True, autoincrement=True)


def _words(column: str, *words: str) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _some(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of those rows only that ``where`` holds for: queries that say the same words find them in it."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


orders = Table(
    "orders",
    metadata,
    _id(),
    Column("ref", String(16), nullable=False, unique=True),
    Column("key", String(24), nullable=False, unique=True),
    Column("chat", LargeBinary, nullable=False),
    Column("chat_blind", String(24), nullable=False, index=True),
    Column("language", String(8), nullable=False),
    Column("subject", String(32), nullable=False),
    Column("total_fils", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("status", String(12), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("paid_at", BigInteger, nullable=False),
    Column("bank", String(64), nullable=False),
    Column("post_due", BigInteger),
    Column("post_tries", Integer, nullable=False),
    Column("forget_at", BigInteger),
    CheckConstraint("total_fils > 0", name="total"),
    CheckConstraint("currency = 'KWD'", name="currency"),
    _words("status", "open", "paid", "posted", "cancelled", "review", "refunded"),
    Index("ix_orders_post_due", "post_due"),
    Index("ix_orders_status", "status", "updated"),
    _some("ix_orders_named", "status", "updated", where="chat_blind <> ''"),
    _some("ix_orders_forget", "forget_at", where="forget_at IS NOT NULL AND chat_blind <> ''"),
    _some("ix_orders_subject", "created", where="chat_blind = '' AND subject <> ''"),
)
"""``key`` is the blind name of the effect's idempotency key, which may hold a phone number. ``forget_at``:
when the resident wants the chat's name gone from the order, NULL for the usual time. A forgotten order has an
empty ``chat`` and ``chat_blind`` (docs/privacy.md)."""

NOTHING = literal_column("''", String)
"""Written out, as the partial indexes' conditions are: what is handed over as a parameter is not found in them."""

order_items = Table(
    "order_items",
    metadata,
    _id(),
    Column("order_id", _ID, ForeignKey("orders.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("number", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("title_ar", String(200), nullable=False),
    Column("title_en", String(200), nullable=False),
    Column("fils", BigInteger, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("years", Integer, nullable=False, server_default="0"),
    Column("until", String(10), nullable=False, server_default=""),
    Column("part", Integer, nullable=False, server_default="0"),
    CheckConstraint("fils > 0", name="fils"),
    _some("uq_order_items_live_number", "number", where="live", unique=True),
    _some("ix_order_items_live", "order_id", where="live"),
)

LIVE = text("order_items.live")
"""Likewise: SQLAlchemy would ask SQLite for ``live = 1``."""

postings = Table(
    "postings",
    metadata,
    _id(),
    Column("order_id", _ID, ForeignKey("orders.id"), nullable=False),
    Column("part", Integer, nullable=False),
    Column("status", String(8), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("at", BigInteger, nullable=False),
    _words("status", "pending", "posted", "refused"),
    UniqueConstraint("order_id", "part", name="uq_postings_order_id"),
)
"""How the parts of a paid order stand at the registry; each is recorded there apart from the others."""

_open = text("status IN ('CREATED', 'LINKED', 'PENDING', 'UNKNOWN')")
_paid = text("status = 'PAID'")
_moving = text("status IN ('asked', 'pending', 'unknown')")

attempts = Table(
    "attempts",
    metadata,
    _id(),
    Column("order_id", _ID, ForeignKey("orders.id"), nullable=False, index=True),
    Column("provider", String(16), nullable=False),
    Column("provider_ref", String(64), nullable=False),
    Column("track", String(19), nullable=False, unique=True),
    Column("fils", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("status", String(10), nullable=False),
    Column("url", String(2000), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("bank", String(64), nullable=False),
    Column("payment", String(64), nullable=False),
    Column("bank_transaction", String(64), nullable=False),
    Column("auth", String(32), nullable=False),
    Column("captured", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("due", BigInteger),
    CheckConstraint("fils > 0", name="fils"),
    _words("status", *OPEN_ATTEMPTS, "PAID", "FAILED", "EXPIRED", "REVIEW", "REFUNDED"),
    Index("uq_attempts_one_paid", "order_id", unique=True, sqlite_where=_paid, postgresql_where=_paid),
    Index("uq_attempts_one_open", "order_id", unique=True, sqlite_where=_open, postgresql_where=_open),
    Index("ix_attempts_provider_ref", "provider", "provider_ref"),
    Index("ix_attempts_payment", "payment"),
    Index("ix_attempts_bank", "bank"),
    Index("ix_attempts_due", "due"),
)
"""``track`` is ours and alphanumeric, at most 19 long: KNET's enquiry takes no more. ``due``: when to ask.

``captured``: fils the gateway's enquiry says it took, 0 while it says nothing; ``payment``, ``bank``,
``bank_transaction`` and ``auth``: the gateway's payment id, the reference, the transaction id and the
authorisation code (KNET's integration manual, 12: to be kept).
"""

links = Table(
    "links",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("order_id", _ID, ForeignKey("orders.id"), nullable=False, index=True),
    Column("created", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

notices = Table(
    "notices",
    metadata,
    _id(),
    Column("name", String(64), nullable=False, unique=True),
    Column("order_id", _ID, ForeignKey("orders.id"), nullable=False, index=True),
    Column("kind", String(12), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("due", BigInteger),
    Column("told_at", BigInteger, nullable=False),
    _words("kind", "paid", "refused", "posted", "review", "refunded"),
    Index("ix_notices_due", "due"),
    _some("ix_notices_untold", "order_id", where="told_at = 0"),
)
"""What the chat must be told; written in the transaction that makes it true, marked once it was told."""

order_history = Table(
    "order_history",
    metadata,
    _id(),
    Column("order_id", _ID, ForeignKey("orders.id"), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("who", String(16), nullable=False),
    Column("what", String(60), nullable=False),
    Column("status", String(12), nullable=False),
)
attempt_history = Table(
    "attempt_history",
    metadata,
    _id(),
    Column("attempt_id", _ID, ForeignKey("attempts.id"), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("who", String(16), nullable=False),
    Column("what", String(60), nullable=False),
    Column("status", String(10), nullable=False),
)
"""Histories only grow: triggers refuse to change or delete a row."""

refunds = Table(
    "refunds",
    metadata,
    _id(),
    Column("attempt_id", _ID, ForeignKey("attempts.id"), nullable=False, index=True),
    Column("key", String(24), nullable=False, unique=True),
    Column("fils", BigInteger, nullable=False),
    Column("status", String(8), nullable=False),
    Column("reference", String(64), nullable=False),
    Column("why", String(60), nullable=False),
    Column("who", String(32), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("due", BigInteger),
    CheckConstraint("fils > 0", name="fils"),
    _words("status", *OPEN_REFUNDS, "done", "refused"),
    Index("uq_refunds_one_open", "attempt_id", unique=True, sqlite_where=_moving, postgresql_where=_moving),
    Index("ix_refunds_due", "due"),
)
"""``key`` is the idempotency key the gateway hears; ``who`` the operator. One refund of an attempt moves at
a time, so that two operators cannot give the same money back twice. ``due``: when to ask the gateway."""

refund_history = Table(
    "refund_history",
    metadata,
    _id(),
    Column("refund_id", _ID, ForeignKey("refunds.id"), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("who", String(32), nullable=False),
    Column("what", String(60), nullable=False),
    Column("status", String(8), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    Column("at", BigInteger, nullable=False, index=True),
    Column("who", String(32), nullable=False),
    Column("what", String(40), nullable=False),
    Column("about", String(80), nullable=False),
)
"""Who looked at what, and what was refused. ``about`` holds references, never personal data. A trigger refuses
to change a row, and to delete one that is less than two years older than the newest."""

gateway_events = Table(
    "gateway_events",
    metadata,
    _id(),
    Column("provider", String(16), nullable=False),
    Column("event", String(64), nullable=False),
    Column("result", String(32), nullable=False),
    Column("track", String(19), nullable=False),
    Column("fils", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("altered", Boolean, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    UniqueConstraint("provider", "event", "result", name="uq_gateway_events_event"),
    _some("ix_gateway_events_payload", "at", where="length(payload) > 0"),
)
"""Notifications as they claim to be; never believed. ``altered``: repeated with another amount.

``payload``: sealed, the first one's body as it came and its fields as they were decoded.
"""

consents = Table(
    "consents",
    metadata,
    _id(),
    Column("chat_blind", String(24), nullable=False, index=True),
    Column("what", String(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("withdrawn", Boolean, nullable=False),
)
"""What a chat agreed to and took back, each a row of its own; a trigger refuses to change one.

``version`` is the text's (`bot.dialogs.my_data.consent`)."""

remembered = Table(
    "remembered",
    metadata,
    Column("chat_blind", String(24), primary_key=True),
    Column("consent_id", _ID, ForeignKey("consents.id"), nullable=False, index=True),
    Column("value", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False, index=True),
)
"""One civil ID a chat asked us to remember, sealed; nothing stands here without the consent it names."""

reminders = Table(
    "reminders",
    metadata,
    _id(),
    Column("chat", LargeBinary, nullable=False),
    Column("chat_blind", String(24), nullable=False),
    Column("owner_blind", String(24), nullable=False),
    Column("consent_id", _ID, ForeignKey("consents.id"), nullable=False, index=True),
    Column("permit", String(40), nullable=False, index=True),
    Column("subject", String(32), nullable=False),
    Column("kin", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("last_day", String(10), nullable=False, index=True),
    Column("due", BigInteger),
    Column("at", BigInteger, nullable=False),
    _words("kind", "residency", "passport", "insurance"),
    UniqueConstraint("chat_blind", "permit", "kind", name="uq_reminders_chat_blind"),
    Index("ix_reminders_due", "due"),
)
"""A date that a chat is told of before it ends; nothing stands here without the consent it names.

``owner_blind``: keyed name of who was signed in. ``subject``: the person's number masked, ``kin``: what they are to the
owner. ``last_day``: ISO 8601. ``due``: when to write, NULL when no moment is left."""

batches = Table(
    "batches",
    metadata,
    _id(),
    Column("ref", String(16), nullable=False, unique=True),
    Column("digest", String(24), nullable=False, unique=True),
    Column("about", LargeBinary, nullable=False),
    Column("chat_blind", String(24), nullable=False, index=True),
    Column("status", String(8), nullable=False),
    Column("created", BigInteger, nullable=False, index=True),
    Column("updated", BigInteger, nullable=False),
    Column("due", BigInteger),
    Column("tries", Integer, nullable=False),
    _words("status", "checking", "done"),
    Index("ix_batches_due", "due"),
)
"""Files with many workers. ``about``: whose chat and sign-in it is and for which body, sealed. ``digest``: keyed name of
all that and of the file and the day, so that a file sent twice is checked once. ``due``: when to take it up (again)."""

batch_parts = Table(
    "batch_parts",
    metadata,
    _id(),
    Column("batch_id", _ID, ForeignKey("batches.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("people", LargeBinary, nullable=False),
    Column("verdicts", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("checked", BigInteger, nullable=False),
    Column("ready", Integer, nullable=False),
    Column("blocked", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("repeated", Integer, nullable=False),
    Column("offers", String(400), nullable=False),
    UniqueConstraint("batch_id", "position", name="uq_batch_parts_batch_id"),
)
"""Some rows of such a file each: what stood there and what the registry says, both sealed; ``size`` rows, ``checked``
when (0: not yet), how many of each verdict, and the sums of the durations offered, as JSON."""

batch_baskets = Table(
    "batch_baskets",
    metadata,
    _id(),
    Column("ref", String(16), nullable=False, unique=True),
    Column("batch_id", _ID, ForeignKey("batches.id"), nullable=False, index=True),
    Column("years", Integer, nullable=False),
    Column("fils", BigInteger, nullable=False),
    Column("fines", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
)
"""Prices quoted for a batch; the lines are made of its parts when they are asked for."""
