"""Payments the sandbox registry has recorded. Survives a restart; holds no personal data.

What is kept of a payment: its order, its idempotency key, a digest of the request, the numbers of fines and of
renewed permits with their new last days, and when it was recorded.
"""

import sqlite3
from datetime import date
from pathlib import Path

import msgspec

_SCHEMA = """
CREATE TABLE IF NOT EXISTS payment (
    "order" TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, digest BLOB NOT NULL, at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS paid (
    fine TEXT PRIMARY KEY, "order" TEXT NOT NULL REFERENCES payment, at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS renewal (
    permit TEXT NOT NULL, until TEXT NOT NULL, "order" TEXT NOT NULL REFERENCES payment,
    PRIMARY KEY (permit, until)
) WITHOUT ROWID;
"""


class Payment(msgspec.Struct, frozen=True):
    """A recorded payment. ``at``: epoch seconds; ``digest``: of the request that recorded it."""

    order: str
    key: str
    digest: bytes
    at: int


class Renewal(msgspec.Struct, frozen=True):
    """A renewed permit. ``until``: its new last day."""

    permit: str
    until: date


class Recorded:
    """The recorded payments, in SQLite.

    Calls are short and block; nothing awaits between a check and the write that relies on it.

    Args:
        path: the file, made when missing; None keeps them in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        # One writer at a time is the caller's affair (one event loop); a test client may use a thread.
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def of_order(self, order: str) -> Payment | None:
        """The payment of ``order``."""
        return self._one('SELECT "order", key, digest, at FROM payment WHERE "order" = ?', order)

    def of_key(self, key: str) -> Payment | None:
        """The payment recorded under the idempotency key ``key``."""
        return self._one('SELECT "order", key, digest, at FROM payment WHERE key = ?', key)

    def paid_at(self, fine: str) -> int | None:
        """When ``fine`` was recorded as paid (epoch seconds)."""
        row = self._db.execute("SELECT at FROM paid WHERE fine = ?", (fine,)).fetchone()
        return None if row is None else int(row[0])

    def renewed_until(self, permit: str) -> date | None:
        """The last day ``permit`` was renewed to."""
        row = self._db.execute("SELECT max(until) FROM renewal WHERE permit = ?", (permit,)).fetchone()
        return None if row[0] is None else date.fromisoformat(row[0])

    def renewals(self, order: str) -> tuple[Renewal, ...]:
        """The renewals of ``order``, by number."""
        rows = self._db.execute(
            'SELECT permit, until FROM renewal WHERE "order" = ? ORDER BY permit', (order,)
        ).fetchall()
        return tuple(Renewal(permit, date.fromisoformat(until)) for permit, until in rows)

    def add(self, payment: Payment, fines: tuple[str, ...] = (), renewals: tuple[Renewal, ...] = ()) -> None:
        """Record ``payment`` of ``fines`` and ``renewals``; all or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        with self._db:  # commits, or rolls back when something is already there
            self._db.execute(
                "INSERT INTO payment VALUES (?, ?, ?, ?)",
                (payment.order, payment.key, payment.digest, payment.at),
            )
            self._db.executemany(
                "INSERT INTO paid VALUES (?, ?, ?)", [(fine, payment.order, payment.at) for fine in fines]
            )
            self._db.executemany(
                "INSERT INTO renewal VALUES (?, ?, ?)",
                [(each.permit, each.until.isoformat(), payment.order) for each in renewals],
            )

    def _one(self, query: str, value: str) -> Payment | None:
        row = self._db.execute(query, (value,)).fetchone()
        return None if row is None else Payment(*row)
