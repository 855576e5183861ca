"""The inventory tells the truth: every column, every period, every text."""

import hashlib
import re
from itertools import chain

import pytest

from bot.dialogs.my_data import forget
from bot.dialogs.my_data.consent import CURRENT, REMEMBER_NUMBER, VERSIONS
from bot.dialogs.reminders import consent as reminders
from bot.domain import Agreement
from bot.services.ledger.tables import metadata
from bot.services.privacy import INVENTORY, PERIODS, Kind
from bot.store import files, sessions, weblog
from bot.store.privacy import KINDS as CHAT_KINDS
from bot.store.privacy import LISTS, PARTS, STAYS
from tools import privacy
from tools.catalogs import _FORBIDDEN, FORBIDDEN

FORMS = ("sealed", "blind", "masked", "hashed", "clear")
TABLES = [kind for kind in INVENTORY if kind.table]
KEYS = [kind for kind in INVENTORY if kind.redis]


def test_every_column_of_the_ledger_stands_in_it_once() -> None:
    told = {
        kind.table: sorted(chain.from_iterable(getattr(kind, form) for form in FORMS))
        for kind in TABLES
        if kind.table != "alembic_version"
    }
    assert told == {
        table.name: sorted(column.name for column in table.columns) for table in metadata.tables.values()
    }


def test_sealed_columns_are_bytes_and_no_other_ones() -> None:
    binary = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.columns
        if str(column.type) in {"BLOB", "BYTEA"}
    }
    assert {(kind.table, name) for kind in TABLES for name in kind.sealed} == binary


def test_what_the_store_keeps_is_kept_as_long_as_told() -> None:
    seconds = {kind.id: PERIODS[kind.period].seconds for kind in INVENTORY}
    assert seconds["session"] == sessions.LIFE
    assert seconds["language"] == sessions.KEPT_LIFE
    assert seconds["quarantine"] == seconds["quarantine_index"] == sessions.QUARANTINE_LIFE
    assert seconds["log"] == seconds["log_keys"] == weblog.LIFE
    assert seconds["files"] == seconds["files_index"] == files.LIFE


@pytest.mark.parametrize("kind", INVENTORY, ids=lambda kind: kind.id)
def test_a_kind_is_whole(kind: Kind) -> None:
    assert kind.period in PERIODS
    assert bool(kind.redis) != bool(kind.table)
    assert bool(kind.redis) == bool(kind.pattern)
    for words in (kind.title, kind.why, kind.until):
        assert words.en
        assert re.search("[\u0600-\u06ff]", words.ar)
        assert not [word for word in FORBIDDEN if _FORBIDDEN[word].search(words.ar)]
    assert sorted(re.findall(r"\d+", kind.until.ar)) == sorted(re.findall(r"\d+", kind.until.en))


def test_what_residents_are_told_of_times_is_so() -> None:
    told = {kind.id: kind.until.en for kind in INVENTORY}
    for kind in ("session", "language", "log", "quarantine", "undelivered"):
        period = PERIODS[kind]
        found = told["outbox" if kind == "undelivered" else kind]
        assert f"{period.days or period.hours} {'days' if period.days else 'hours'}" in found
    assert f"{PERIODS['unpaid'].days} days" in told["orders"]
    assert f"{PERIODS['paid'].days} days" in told["orders"]
    assert f"{PERIODS['books'].days} days" in told["orders"]
    for kind in ("links", "audit", "consents", "remembered", "reminders"):
        assert f"{PERIODS[kind].days} days" in told[kind]
    asking = str(forget.asking(forget.Deletion()))
    assert f"{PERIODS['refundable'].days} days" in asking


def test_what_forgetting_leaves_in_redis_is_told() -> None:
    stays = {kind.redis.partition(":")[0] for kind in KEYS if kind.forgotten.startswith("no:")}
    assert stays == STAYS - {"s"}


def test_every_kind_of_key_that_a_chat_may_have_is_asked_for() -> None:
    chats = {kind.redis for kind in KEYS if ":{pNNN}:NAME" in kind.redis}
    assert {key.partition(":")[0] for key in chats} == set(CHAT_KINDS)
    further = chats - {f"{kind}:{{pNNN}}:NAME" for kind in CHAT_KINDS}
    beside = {f"{kind}:{{pNNN}}:NAME:{part}" for kind, part in PARTS.items()}
    assert beside <= further
    assert {key.partition(":")[0] for key in further - beside} == set(LISTS), (
        "what has further keys lists them"
    )


@pytest.mark.parametrize("versions", [VERSIONS, reminders.VERSIONS])
def test_consents_have_versions_that_only_grow(versions: tuple[Agreement, ...]) -> None:
    assert [terms.version for terms in versions] == list(range(1, len(versions) + 1))
    assert [terms.date for terms in versions] == sorted(terms.date for terms in versions)
    assert len(versions[-1].en.split()) <= 70


def test_consents_tell_the_periods() -> None:
    assert CURRENT is VERSIONS[-1]
    assert PERIODS["remembered"].days == 365, "the text says a year"
    assert "a year" in CURRENT.en
    assert "سنة" in CURRENT.ar
    told = f"{PERIODS['reminders'].days} "
    assert told in reminders.CURRENT.en
    assert told in reminders.CURRENT.ar
    assert len({REMEMBER_NUMBER, reminders.REMINDERS}) == 2


def test_no_text_of_a_consent_was_changed() -> None:
    # A text that changes is another version: its sum stays for ever.
    def sums(versions: tuple[Agreement, ...]) -> list[str]:
        return [hashlib.sha256(f"{terms.en}{terms.ar}".encode()).hexdigest()[:16] for terms in versions]

    assert sums(VERSIONS) == ["f15499d30473e9b0"]
    assert sums(reminders.VERSIONS) == ["ae1e3aebfd70edc0"]


def test_the_page_is_fresh() -> None:
    text = privacy.PAGE.read_text("utf-8")
    assert text == privacy.page(text), "run `python -m tools.privacy`"
    for kind in INVENTORY:
        assert f"`{kind.redis or kind.table}`" in text
