"""Reads the rule files and refuses what cannot be right, naming file and entry."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.resources.abc import Traversable
from itertools import combinations
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from bot.errors import ConfigError
from bot.rules.dated import Period, fault
from bot.rules.family import FamilyRules
from bot.rules.tables import (
    Case,
    Fees,
    Insurance,
    Kind,
    Overstay,
    Price,
    Renewal,
    Rules,
    Waiver,
    Waivers,
    Waives,
)

T = TypeVar("T")
_Toml: TypeAlias = "dict[str, Any] | list[Any] | str | float | bool | date | None"

_ENTRY: Final = re.compile(r"\$\.(\w+)\[(\d+)\]")
_PATH: Final = re.compile(r" - at `(\$.*)`$")


def load(folder: Traversable | Path) -> Rules:
    """The rules in ``folder``.

    Raises:
        ConfigError: a file cannot be read, or says what cannot be; one line that names file and entry.
    """
    rules = Rules(
        fees=_read(folder, "residency_fees.toml", Fees),
        insurance=_read(folder, "health_insurance.toml", Insurance),
        renewal=_read(folder, "renewal.toml", Renewal),
        overstay=_read(folder, "overstay.toml", Overstay),
        waivers=_read(folder, "waivers.toml", Waivers),
        family=_read(folder, "family_join.toml", FamilyRules),
    )
    _series("health_insurance.toml", rules.insurance, "grown")
    _series("renewal.toml", rules.renewal, "window", "passport", "employer", "debts", "biometric")
    _series("overstay.toml", rules.overstay, "weeks", "newborn")
    _series("family_join.toml", rules.family, "residency", "terms", "passports", "papers", "professions")
    _prices("residency_fees.toml", "fee", rules.fees.fee)
    _prices("health_insurance.toml", "insurance", rules.insurance.insurance)
    _kinds("renewal.toml", "years", rules.renewal.years)
    _kinds("renewal.toml", "abroad", rules.renewal.abroad)
    _cases(rules.overstay)
    for waiver in rules.waivers.waiver:
        _waiver(waiver)
    for sponsor in rules.family.sponsor:
        _lasting("family_join.toml", "sponsor", sponsor.name, sponsor.period)
    _apart("family_join.toml", "sponsor", [(one.name, one.articles) for one in rules.family.sponsor])
    return rules


def _read(folder: Traversable | Path, file: str, kind: type[T]) -> T:
    table: dict[str, Any] = {}
    try:
        table = tomllib.loads((folder / file).read_text("utf-8"))
        return msgspec.convert(_words(table), kind)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise ConfigError(f"{file}: {wrong}") from wrong
    except msgspec.ValidationError as wrong:
        raise ConfigError(f"{file}, {_where(str(wrong), table)}") from wrong


def _words(value: "_Toml") -> "_Toml | tuple[_Toml, ...]":
    """``{ ar = …, en = … }`` as the pair that `Local` is read from."""
    if isinstance(value, dict):
        if sorted(value) == ["ar", "en"]:
            return (value["ar"], value["en"])
        return {key: _words(one) for key, one in value.items()}
    return [_words(one) for one in value] if isinstance(value, list) else value


def _where(message: str, table: Mapping[str, Any]) -> str:
    """The fault with the entry's own name in it: ``fee "work": Expected `int` >= 0 (period[1].fils)``."""
    path = _PATH.search(message)
    entry = _ENTRY.match(path[1]) if path else None
    if path is None or entry is None:
        return message
    kind, index = entry[1], int(entry[2])
    one = table[kind][index]
    rest = path[1].removeprefix(entry[0]).lstrip(".")
    what = message.removesuffix(path[0]) + (f" ({rest})" if rest else "")
    return f'{kind} "{one.get("name") or one.get("case") or index + 1}": {what}'


def _wrong(file: str, kind: str, name: str, what: str) -> ConfigError:
    return ConfigError(f'{file}, {kind} "{name}": {what}')


def _series(file: str, table: msgspec.Struct, *names: str) -> None:
    """Settings that stand alone: their periods are the entry."""
    for name in names:
        what = fault(getattr(table, name))
        if what:
            raise ConfigError(f"{file}, {name}: {what}")


def _lasting(file: str, kind: str, name: str, periods: Sequence[Period]) -> None:
    what = fault(periods)
    if what:
        raise _wrong(file, kind, name, what)


def _prices(file: str, kind: str, prices: Sequence[Price]) -> None:
    for price in prices:
        _lasting(file, kind, price.name, price.period)
    for one, other in combinations(prices, 2):
        if one.name == other.name or one.clashes(other):
            raise _wrong(file, kind, other.name, f'overlaps with "{one.name}"')


def _kinds(file: str, kind: str, kinds: Sequence[Kind]) -> None:
    for one in kinds:
        _lasting(file, kind, one.name, one.period)
    rest = sum(one.rest for one in kinds)
    if rest != 1:
        raise ConfigError(f"{file}, {kind}: {rest} entries for everybody else, not one")
    _apart(file, kind, [(one.name, one.articles) for one in kinds])


def _apart(file: str, kind: str, named: Iterable[tuple[str, frozenset[int]]]) -> None:
    for (one, articles), (other, further) in combinations(named, 2):
        if articles & further:
            raise _wrong(file, kind, other, f'overlaps with "{one}"')


def _cases(overstay: Overstay) -> None:
    for one in overstay.overstay:
        _lasting("overstay.toml", "overstay", one.case, one.period)
    count = Counter(one.case for one in overstay.overstay)
    for case in Case:
        if count[case] != 1:
            raise _wrong("overstay.toml", "overstay", case, f"{count[case]} entries, not one")
    _apart("overstay.toml", "overstay", [(one.case, one.articles) for one in overstay.overstay])


def _waiver(waiver: Waiver) -> None:
    if waiver.last is None:
        raise _wrong("waivers.toml", "waiver", waiver.name, "has no last day")
    if waiver.last < waiver.first:
        raise _wrong("waivers.toml", "waiver", waiver.name, f"ends on {waiver.last} before it begins")
    if (waiver.waives is Waives.FINES) != bool(waiver.cases):
        raise _wrong("waivers.toml", "waiver", waiver.name, "cases are for fines, and fines need them")
