"""A ledger of a given size in a few statements: two years of orders that were settled long ago, and a few of today's.

Figures follow from a row's number, so that every run makes the same ledger. What the retention periods let go of is gone
already: a pass of the rounds finds as much to do as in a service that runs every day, which is next to nothing.
"""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

YEARS: Final = 2
SPAN: Final = YEARS * 365 * 86_400
DAY: Final = 86_400

_ORDERS: Final = """
INSERT INTO orders (id, ref, key, chat, chat_blind, language, subject, total_fils, currency, status, reason, created,
 updated, paid_at, bank, post_due, post_tries)
SELECT i, 'IQ-' || CAST(i AS TEXT), 'k' || CAST(i AS TEXT), {blob90},
 CASE WHEN age > 400 * 86400 OR (turn < 9 AND age > 90 * 86400) THEN '' ELSE 'c' || CAST(i % {chats} AS TEXT) END,
 'ar', '2850****0029', 15000, 'KWD',
 CASE WHEN turn < 9 THEN 'cancelled' WHEN turn = 9 THEN 'refunded' WHEN age < 1800 THEN 'open'
 WHEN turn = 10 AND age < 86400 THEN 'paid' ELSE 'posted' END,
 '', {now} - age, {now} - age + 60, CASE WHEN turn < 9 OR age < 1800 THEN 0 ELSE {now} - age + 60 END, '',
 CASE WHEN turn = 10 AND age < 86400 AND age >= 1800 THEN {now} + 600 END, 0
FROM (SELECT i, i % 100 AS turn, ({rows} - i) * {span} / {rows} AS age FROM {series}) AS r
"""

_REST: Final = (
    """INSERT INTO order_items (order_id, position, number, kind, title_ar, title_en, fils, live)
 SELECT id, 0, 'F' || CAST(id AS TEXT), 'traffic', 'وقوف ممنوع', 'Prohibited parking', 15000,
 status IN ('open', 'paid') OR (status = 'posted' AND created > {now} - 86400) FROM orders""",
    """INSERT INTO postings (order_id, part, status, reason, at)
 SELECT id, 0, CASE WHEN status = 'paid' THEN 'pending' ELSE 'posted' END, '', paid_at FROM orders WHERE paid_at > 0""",
    """INSERT INTO attempts (id, order_id, provider, provider_ref, track, fils, currency, status, url, reason, bank,
 payment, bank_transaction, auth, captured, created, updated, due)
 SELECT id, id, 'knet', 'p' || CAST(id AS TEXT), 'T' || CAST(id AS TEXT), 15000, 'KWD',
 CASE status WHEN 'open' THEN 'PENDING' WHEN 'cancelled' THEN 'EXPIRED' WHEN 'refunded' THEN 'REFUNDED' ELSE 'PAID' END,
 '', '', 'b' || CAST(id AS TEXT), 'q' || CAST(id AS TEXT), 'x' || CAST(id AS TEXT), 'a',
 CASE WHEN paid_at > 0 THEN 15000 ELSE 0 END, created, updated, CASE status WHEN 'open' THEN {now} + 120 END
 FROM orders""",
    """INSERT INTO links (token_hash, order_id, created, expires_at)
 SELECT 'h' || CAST(id AS TEXT), id, created, created + 1800 FROM orders WHERE created > {now} - 30 * 86400""",
    """INSERT INTO notices (name, order_id, kind, reason, due, told_at)
 SELECT 'paid:' || CAST(id AS TEXT), id, 'paid', '', NULL, paid_at FROM orders WHERE paid_at > 0""",
    """INSERT INTO notices (name, order_id, kind, reason, due, told_at)
 SELECT 'posted:' || CAST(id AS TEXT), id, 'posted', '', NULL, paid_at FROM orders WHERE status = 'posted'""",
    """INSERT INTO order_history (order_id, at, who, what, status)
 SELECT id, created, 'chat', 'opened', 'open' FROM orders""",
    """INSERT INTO order_history (order_id, at, who, what, status)
 SELECT id, paid_at, 'gateway', 'paid', 'paid' FROM orders WHERE paid_at > 0""",
    """INSERT INTO order_history (order_id, at, who, what, status)
 SELECT id, paid_at, 'registry', 'answered: recorded', 'posted' FROM orders WHERE status = 'posted'""",
    """INSERT INTO attempt_history (attempt_id, at, who, what, status)
 SELECT id, created, 'resident', 'pressed pay', 'CREATED' FROM attempts""",
    """INSERT INTO attempt_history (attempt_id, at, who, what, status)
 SELECT id, updated, 'gateway', 'enquiry', status FROM attempts WHERE status <> 'PENDING'""",
    """INSERT INTO gateway_events (provider, event, result, track, fils, at, repeats, altered, payload)
 SELECT 'knet', 'e' || CAST(id AS TEXT), 'CAPTURED', track, 15000, created, 0, false,
 CASE WHEN created > {now} - 180 * 86400 THEN {blob300} ELSE {nothing} END FROM attempts WHERE status = 'PAID'""",
    """INSERT INTO audit (at, who, what, about) SELECT created, 'sara', 'looked', ref FROM orders WHERE id % 20 = 0""",
    """INSERT INTO consents (id, chat_blind, what, version, at, withdrawn)
 SELECT id, 'c' || CAST(id AS TEXT), 'reminders', {version}, created, false FROM orders WHERE id % 2 = 0""",
    """INSERT INTO remembered (chat_blind, consent_id, value, at, expires)
 SELECT 'c' || CAST(id AS TEXT), id, {blob90}, created, {now} + 86400 + id FROM orders WHERE id % 10 = 0""",
    """INSERT INTO reminders (chat, chat_blind, owner_blind, consent_id, permit, subject, kin, kind, last_day, due, at)
 SELECT {blob90}, chat_blind, chat_blind, id, 'P' || CAST(id AS TEXT), '2850****0029', 'self', 'residency',
 '2027-06-30', {now} + 86400 + id, at FROM consents""",
    """INSERT INTO batches (id, ref, digest, about, chat_blind, status, created, updated, due, tries)
 SELECT id, 'B' || CAST(id AS TEXT), 'd' || CAST(id AS TEXT), {blob90}, 'c' || CAST(id AS TEXT), 'done',
 {now} - id % 600000, {now}, NULL, 0 FROM orders WHERE id % 1000 = 0""",
)


def _terms(dialect: str, rows: int, now: int, version: int) -> dict[str, str]:
    if dialect == "sqlite":
        numbers = "(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {rows}) SELECT i FROM s) AS s"
        blob = "zeroblob({size})"
        nothing = "x''"
    else:
        numbers = "generate_series(1, CAST({rows} AS BIGINT)) AS s(i)"
        blob = "decode(repeat('5a', {size}), 'hex')"
        nothing = "''::bytea"
    return {
        "rows": str(rows),
        "now": str(now),
        "span": str(SPAN),
        "version": str(version),
        "chats": str(max(1, rows // 3)),
        "series": numbers.format(rows=rows),
        "blob90": blob.format(size=90),
        "blob300": blob.format(size=300),
        "nothing": nothing,
    }


async def fill(engine: AsyncEngine, rows: int, now: int, version: int = 1) -> None:
    """Fill an empty, migrated ledger with ``rows`` orders and what belongs to them.

    Args:
        engine: of the ledger.
        rows: how many orders.
        now: epoch seconds; the newest order was made then.
        version: of the reminders' consent.
    """
    dialect = engine.dialect.name
    terms = _terms(dialect, rows, now, version)
    async with engine.begin() as connection:
        for statement in (_ORDERS, *_REST):
            await connection.exec_driver_sql(statement.format(**terms))
        if dialect == "sqlite":
            await connection.exec_driver_sql("ANALYZE")
    if dialect != "sqlite":
        async with engine.connect() as plain:
            alone = await plain.execution_options(isolation_level="AUTOCOMMIT")
            await alone.exec_driver_sql("VACUUM ANALYZE")
