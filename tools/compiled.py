"""Builds what every turn goes through as C extensions, from the same sources (ADR 0026).

A build hook of the wheel's: with ``IQAMATI_COMPILED=3`` (gcc's level of optimisation) the modules listed in ``pyproject.toml`` under
``tool.iqamati.compiled`` are compiled by mypyc and put into the wheel beside their sources. Without it nothing is done
and the wheel is for every platform.
"""

import ast
import os
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT: Final = Path(__file__).parents[1]
SWITCH: Final = "IQAMATI_COMPILED"
_GROUP: Final = "iqamati"
_KNOWN: Final = {"Protocol", "NamedTuple", "Exception", "BotError", "Rejected"}
"""What a class of a compiled module may be derived from, besides classes of compiled modules."""
_OWN: Final = ["-fno-semantic-interposition", "-Wl,-Bsymbolic"] if sys.platform == "linux" else []
"""For compiler and linker: nobody puts other functions in the place of ours, so that a call of one's own is one."""


class Hook(BuildHookInterface):  # type: ignore[type-arg]  # its parameter is the builder's configuration
    """See the module."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, where it was asked for (hatchling's own name for the moment before a wheel is written)."""
        if version == "editable" or not os.environ.get(SWITCH):
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        self._out = out = Path(tempfile.mkdtemp(prefix="iqamati-compiled-"))
        for found in compiled(out, os.environ[SWITCH]):
            build_data["force_include"][str(found)] = found.relative_to(out).as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's
        """What was compiled is in the wheel now."""
        if (out := getattr(self, "_out", None)) is not None:
            shutil.rmtree(out)


def modules() -> list[str]:
    """Paths of the modules that are compiled, from the project's folder."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed: list[str] = tomllib.load(file)["tool"]["iqamati"]["compiled"]
    return listed


def unfit(module: str) -> list[str]:
    """What of ``module`` would not be the same once compiled: names of classes, and lines.

    mypyc passes over the keywords of a class (``frozen=True``, ``array_like=True``): a `msgspec.Struct` would silently
    be another one. And a class derived from an interpreted one is no faster than that. Its coroutines have no state of
    their own for the error being handled: one that waits inside ``except`` or ``finally`` would leave its error to
    whatever runs meanwhile.
    """
    tree = ast.parse((ROOT / module).read_text("utf-8"))
    return [*_classes(tree, _compiled_names(tree)), *(f"line {line}" for line in _waiting(tree))]


def _waiting(tree: ast.Module) -> list[int]:
    """Lines that wait while an error may be being handled."""
    tries = [node for node in ast.walk(tree) if isinstance(node, ast.Try)]
    handled = [part for each in tries for part in (*each.handlers, *each.finalbody)]
    return sorted(
        {
            node.lineno
            for part in handled
            for node in ast.walk(part)
            if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith | ast.Yield | ast.YieldFrom)
        }
    )


def _compiled_names(tree: ast.Module) -> set[str]:
    """What is imported from modules that are compiled, too."""
    listed = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in modules()}
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module in listed]
    return {name.asname or name.name for node in imports for name in node.names}


def _classes(tree: ast.Module, compiled_names: set[str]) -> list[str]:
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    own = _KNOWN | compiled_names | {node.name for node in classes}
    return [
        node.name
        for node in classes
        if node.keywords
        or any(not isinstance(base, ast.Name | ast.Subscript) for base in node.bases)
        or any(isinstance(base, ast.Name) and base.id not in own for base in node.bases)
    ]


def compiled(out: Path, level: str) -> list[Path]:
    """Compile into the folder ``out``, with gcc's ``level`` of optimisation (``0`` builds fast, ``3`` runs fast).

    Returns:
        The extensions, in the folders in which they are imported.

    Raises:
        SystemExit: a module would not be the same once compiled.
    """
    from mypyc.build import mypycify  # noqa: PLC0415 - only where it is asked for: so are mypy and a C compiler
    from setuptools import Distribution  # noqa: PLC0415
    from setuptools.command.build_ext import build_ext  # noqa: PLC0415

    listed = modules()
    for module in listed:
        if found := unfit(module):
            raise SystemExit(f"{module}: {', '.join(found)} cannot be compiled; see tools/compiled.py")
    before = Path.cwd()
    os.chdir(ROOT)  # mypy names modules by their paths from here
    try:
        with tempfile.TemporaryDirectory(prefix="iqamati-build-") as build:
            options = ["--config-file", "pyproject.toml", "--cache-dir", f"{build}/cache", *listed]
            extensions = mypycify(
                options, opt_level=level, debug_level="0", group_name=_GROUP, target_dir=f"{build}/c"
            )
            for extension in extensions:
                extension.extra_compile_args += _OWN[:1]
                extension.extra_link_args += _OWN[1:]
            command: Any = build_ext(Distribution({"name": _GROUP, "ext_modules": extensions}))
            command.build_lib, command.build_temp = str(out), f"{build}/o"
            command.ensure_finalized()
            command.run()
    finally:
        os.chdir(before)
    return sorted(path for path in out.rglob("*") if path.suffix in {".so", ".pyd"})
