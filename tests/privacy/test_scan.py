"""Nobody is found in what the service leaves behind: logs, Redis, SQL, files, addresses."""

import binascii
import logging
import re
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog
from sqlalchemy import text

from bot.services.ledger import migrate, open_engine
from bot.services.privacy import INVENTORY
from tests.privacy.life import NEEDLES, RESIDENT, logged, look
from tests.privacy.scan import ARABIC, PERSIAN, Scan
from tests.store.servers import Deployment

CIVIL_ID = RESIDENT.civil_id


async def test_nobody_is_found(tmp_path: Path) -> None:
    here, figures = await look(tmp_path)
    assert here.scan.found == []
    assert len(NEEDLES) > 60
    assert here.reminders == 5, "three persons' two dates, one taken back"
    for kind, least in {
        "redis keys": 30,
        "redis values": 800,
        "sql values": 400,
        "sql columns": 100,
        "log lines": 10,
        "operators' lines": 100,
        "addresses": 150,
        "bytes on disk": 500_000,
    }.items():
        assert figures[kind] >= least, figures
    _all_are_in_the_inventory(here.scan, here.columns)


def _all_are_in_the_inventory(scan: Scan, columns: list[str]) -> None:
    """Every key and every column that was met is one that docs/privacy.md tells of."""
    patterns = [re.compile(kind.pattern) for kind in INVENTORY if kind.redis]
    keys = {where for where, value in scan.seen if where.encode("latin-1") == value}
    unknown = {key for key in keys if not any(pattern.fullmatch(key) for pattern in patterns)}
    assert unknown == set()
    met = {kind.id for kind in INVENTORY for key in keys if kind.redis and re.fullmatch(kind.pattern, key)}
    assert met >= {
        "session",
        "language",
        "log",
        "log_keys",
        "outbox",
        "timers",
        "sign_in",
        "lookups",
        "forgetting",
    }
    told = {
        f"{kind.table}.{name}"
        for kind in INVENTORY
        for names in (kind.sealed, kind.blind, kind.masked, kind.hashed, kind.clear)
        for name in names
    }
    assert set(columns) == told


# --- the scan bites ------------------------------------------------------------------------------

PLANTED = {
    "plain": CIVIL_ID.encode(),
    "in Arabic digits": f"الرقم {CIVIL_ID.translate(ARABIC)}".encode(),
    "in Persian digits": CIVIL_ID.translate(PERSIAN).encode(),
    "in groups": b"2850 1150 0029",
    "with dashes": b"2850-1150-0029",
    "reversed": CIVIL_ID[::-1].encode(),
    "base64": b64encode(CIVIL_ID.encode()),
    "base64 inside": b64encode(f'{{"civil_id":"{CIVIL_ID}"}}'.encode()),
    "base64 inside, shifted": b64encode(f'{{"id":"{CIVIL_ID}"}}'.encode()),
    "base64 inside, shifted again": b64encode(f'{{"ID1":"{CIVIL_ID}"}}'.encode()),
    "base64 for URLs": urlsafe_b64encode(f"?{CIVIL_ID}?".encode()),
    "hex": binascii.hexlify(CIVIL_ID.encode()),
    "percent": quote(CIVIL_ID.translate(ARABIC)).encode(),
    "UTF-16": CIVIL_ID.encode("utf-16-le"),
    "a careless mask": f"{CIVIL_ID[:10]}**".encode(),
    "the other half": f"**{CIVIL_ID[2:]}".encode(),
    "a passport": RESIDENT.passport.lower().encode(),
    "a reference": RESIDENT.reference.encode(),
    "a name": b'{"first_name":"Fatima"}',
    "a phone": b"chat=omar.96550001234",
}


@pytest.mark.parametrize("disguise", PLANTED)
def test_a_disguise_is_seen_through(disguise: str) -> None:
    scan = Scan(NEEDLES)
    scan.look("log lines", "log", b"before " + PLANTED[disguise] + b" after")
    assert scan.found, disguise


@pytest.mark.parametrize("clean", [b"2850****0029", b"IQ-7F3C-9A1D 45.000", b"\x01" * 300, b"R-06717512340"])
def test_what_may_stand_anywhere_is_let_through(clean: bytes) -> None:
    scan = Scan(NEEDLES)
    scan.look("log lines", "log", clean)
    assert scan.found == []


async def test_every_type_of_redis_is_looked_into(valkey: Deployment) -> None:
    await valkey.empty()
    node, planted = valkey.nodes[0], CIVIL_ID
    await node.set("a", planted)
    await node.hset("b", mapping={"field": planted})
    await node.hset("b2", mapping={planted: "value"})
    await node.rpush("c", planted)
    await node.sadd("d", planted)
    await node.zadd("e", {planted: 1})
    await node.xadd("f", {"field": planted})
    await node.set(f"g:{planted}", "x")
    scan = Scan(NEEDLES)
    await scan.redis(node)
    assert {where for _, where, _ in scan.found} == {"a", "b", "b2", "c", "d", "e", "f", f"g:{planted}"}
    await valkey.empty()


async def test_every_column_of_sql_and_the_files_are_looked_into(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}")
    await migrate(engine)
    async with engine.begin() as connection:
        await connection.execute(text(f"INSERT INTO audit VALUES (1, 1, 'omar', 'looked', '{CIVIL_ID}')"))  # noqa: S608 - planted
    scan = Scan(NEEDLES)
    columns = await scan.sql(engine)
    assert "audit.about" in columns
    assert [where for _, where, _ in scan.found] == ["audit.about"]
    async with engine.begin() as connection:
        await connection.execute(text("DROP TRIGGER audit_no_delete"))
        await connection.execute(text("DELETE FROM audit"))
    scan = Scan(NEEDLES)
    await scan.sql(engine)
    assert scan.found == []
    scan.files([tmp_path / name for name in ("ledger.sqlite3", "ledger.sqlite3-wal")])
    assert scan.found, "deleted, and still on the disk"
    await engine.dispose()


def test_the_log_is_caught(capfd: pytest.CaptureFixture[str]) -> None:
    with logged("debug") as kept:
        structlog.get_logger("bot.x").debug("planted", number=CIVIL_ID)
        logging.getLogger("some.library").warning("planted %s", CIVIL_ID)
    scan = Scan(NEEDLES)
    for line in kept.getvalue().splitlines():
        scan.look("log lines", "log", line)
    assert len(scan.found) == 2
    assert capfd.readouterr().err == ""
