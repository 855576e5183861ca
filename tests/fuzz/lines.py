"""How much of some modules a run reaches, by lines; a tracer of our own, as nothing else here counts lines."""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, Self


class Reached:
    """Counts while the block runs.

    Args:
        names: of modules; of a package all that is in it.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._all = {module.__file__ or "": set(_lines(module)) for name in names for module in modules(name)}
        self._reached: set[tuple[str, int]] = set()

    def __enter__(self) -> Self:
        sys.settrace(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _called(self, frame: FrameType, _event: str, _given: Any) -> Any:
        return self._line if frame.f_code.co_filename in self._all else None

    def _line(self, frame: FrameType, _event: str, _given: Any) -> Any:
        self._reached.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line

    def figures(self) -> dict[str, int]:
        """Lines inside functions, and how many of them were reached."""
        reached = sum(line in self._all[name] for name, line in self._reached)
        return {"lines": sum(map(len, self._all.values())), "reached": reached}


def modules(name: str) -> Iterator[ModuleType]:
    module = importlib.import_module(name)
    yield module
    for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}."):
        yield importlib.import_module(found.name)


def _lines(module: ModuleType) -> Iterator[int]:
    path = Path(module.__file__ or "")
    yield from _inner(compile(path.read_text("utf-8"), str(path), "exec"), inside=False)


def _inner(code: CodeType, *, inside: bool) -> Iterator[int]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _inner(inner, inside=inside or bool(inner.co_flags & inspect.CO_OPTIMIZED))
    if inside and code.co_flags & inspect.CO_OPTIMIZED:
        yield from (line for _, _, line in code.co_lines() if line is not None and line > code.co_firstlineno)
