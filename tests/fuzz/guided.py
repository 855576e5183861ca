"""Fuzzing led by coverage: ``python -m tests.fuzz.guided --seconds 60 --target all``.

libFuzzer (through Atheris) changes bytes and keeps what reaches new branches of ``bot``. A byte at the front says which
way the rest goes into a target: as the raw thing, or as the choices by which Hypothesis makes one up. Each target runs
in a process of its own, for its time and no longer. What it finds is written down, and it goes on looking.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

NAMES: Final = (
    "telegram", "lane", "wire", "callback", "web", "gateways", "signin", "sheets", "readers", "session", "talk",
)  # fmt: skip
CORPUS: Final = Path(__file__).with_name("corpus")
ROOT: Final = Path(__file__).parents[2]
MOST: Final = 20
"""Different findings of one run that are written down."""
LONGEST: Final = 8192
"""Bytes of an input."""
_MEMORY: Final = 1536
"""Megabytes after which a target is a finding itself."""
_HANGS: Final = 20
"""Seconds for one input; likewise."""
_GRACE: Final = 900
"""Seconds besides, to load the service with its branches counted: ten of CPU time, minutes on a busy machine."""
_RAW, _MADE = b"\x01", b"\x00"
_COVERED: Final = re.compile(r"cov: (\d+) ft: (\d+)")
_RUNS: Final = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


class Findings:
    """What was found, one of a kind, written down at once: the process may not end by itself."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "findings.json"
        self._found: dict[str, dict[str, str]] = {}

    def note(self, error: BaseException, given: object) -> None:
        """Write it down unless it was found before."""
        where = traceback.extract_tb(error.__traceback__)
        place = next((frame for frame in reversed(where) if "site-packages" not in frame.filename), where[-1])
        name = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        if name not in self._found and len(self._found) < MOST:
            self._found[name] = {"said": str(error)[:300], "given": repr(given)[:4000]}
            self._file.write_text(json.dumps(self._found, indent=1), "utf-8")


def entry(target: Any, note: Callable[[BaseException, object], None]) -> Callable[[bytes], None]:
    """What a mutator calls with bytes."""
    from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415 - once the code is instrumented

    def check(made: Any) -> None:
        try:
            target.check(made)
        except Exception as error:  # noqa: BLE001 - whatever escapes is what is looked for
            note(error, made)

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
    @given(target.inputs())
    def made_up(made: Any) -> None:
        check(made)

    feed: Callable[[bytes], Any] = made_up.hypothesis.fuzz_one_input

    def one(data: bytes) -> None:
        if data[:1] == _MADE or len(data) < len(_RAW) + 1 or data[0] % 2 == 0:
            feed(data[1:])
        else:
            check(target.raw(data[1:]))

    return one


def child(name: str, seconds: int, folder: Path) -> None:
    """Fuzz one target; ends by itself."""
    import atheris  # noqa: PLC0415 - only here: it is not part of every environment

    with atheris.instrument_imports(include=["bot"]):
        from tests.fuzz import lines  # noqa: PLC0415 - imports nothing of `bot`
        from tests.fuzz.targets.registry import TARGETS  # noqa: PLC0415 - instrumented as it is imported

        for package in TARGETS[name].modules:
            list(lines.modules(package))  # also what the service only imports once somebody needs it
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for seed in sorted((CORPUS / name).glob("*")):
        (corpus / seed.name).write_bytes(_RAW + seed.read_bytes())
    limits = [
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        f"-rss_limit_mb={_MEMORY}",
        f"-timeout={_HANGS}",
    ]
    told = ["-print_final_stats=1", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], str(corpus), *limits, *told], entry(TARGETS[name](), Findings(folder).note))
    atheris.Fuzz()


def replay(name: str, folder: Path) -> None:
    """Run the corpus once more and write down how many lines of the target's modules it reaches."""
    from tests.fuzz import lines  # noqa: PLC0415 - in the child only, as the code it measures
    from tests.fuzz.targets.registry import TARGETS  # noqa: PLC0415 - likewise

    target = TARGETS[name]()
    one = entry(target, lambda _error, _given: None)
    with lines.Reached(target.modules) as reached:
        for kept in sorted((folder / "corpus").glob("*")):
            one(kept.read_bytes())
    (folder / "lines.json").write_text(json.dumps(reached.figures()), "utf-8")


def fuzz(name: str, seconds: int, folder: Path) -> dict[str, Any]:
    """Run a target in a process of its own; its figures."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    ended = _child(name, folder, "fuzz", seconds)
    said = log.read_text("utf-8", "replace")
    _child(name, folder, "replay", 1)
    covered, runs = _COVERED.findall(said), _RUNS.findall(said)
    found = _read(folder / "findings.json")
    if ended:
        kept = ", ".join(sorted(path.name for path in folder.glob("*-*")))
        found[ended] = {"said": said[-1500:], "given": kept}
    reached = _read(folder / "lines.json")
    corpus = folder / "corpus"
    return {
        "target": name,
        "seconds": seconds,
        "executions": int(runs[-1]) if runs else 0,
        "branches": int(covered[-1][0]) if covered else 0,
        "inputs kept": len(list(corpus.glob("*"))) if corpus.exists() else 0,
        "lines reached": reached.get("reached", 0),
        "lines": reached.get("lines", 0),
        "findings": found,
    }


def _child(name: str, folder: Path, what: str, seconds: int) -> str:
    """Run it; how it ended where that is not well."""
    ours = ["-W", "ignore", "-m", "tests.fuzz.guided", "--target", name, "--folder", str(folder)]
    asked = [sys.executable, *ours, "--child", what, "--seconds", str(seconds)]
    with (folder / ("log" if what == "fuzz" else "replayed")).open("wb") as out:
        try:
            run = subprocess.run(
                asked, cwd=ROOT, stdout=out, stderr=out, check=False, timeout=seconds + _GRACE
            )
        except subprocess.TimeoutExpired:
            return "the process did not end"
    return "the process failed" if run.returncode else ""


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The figures as text."""
    out = [
        f"{'target':<10} {'seconds':>7} {'executions':>10} {'branches':>8} {'kept':>6} {'lines reached':>15} {'findings':>8}"
    ]
    for row in rows:
        reached = f"{row['lines reached']} of {row['lines']}"
        out.append(
            f"{row['target']:<10} {row['seconds']:>7} {row['executions']:>10} {row['branches']:>8} {row['inputs kept']:>6} {reached:>15} {len(row['findings']):>8}"
        )
    return "\n".join(out)


def main() -> int:
    """Read the arguments and run; 1 where something was found."""
    read = argparse.ArgumentParser(prog="python -m tests.fuzz.guided", description=__doc__.partition("\n")[0])
    read.add_argument("--seconds", type=int, default=60, help="for each target (at most 3600)")
    read.add_argument("--target", choices=[*NAMES, "all"], default="all")
    read.add_argument("--json", type=Path, help="write the figures and the findings there")
    read.add_argument("--keep", type=Path, help="keep inputs and logs there")
    read.add_argument("--child", choices=["fuzz", "replay"], help=argparse.SUPPRESS)
    read.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = read.parse_args()
    seconds = max(1, min(asked.seconds, 3600))
    if asked.child:
        if asked.child == "fuzz":
            child(asked.target, seconds, asked.folder)
        else:
            replay(asked.target, asked.folder)
        return 0
    try:
        import atheris  # noqa: F401, PLC0415 - whether it is there
    except ImportError:
        sys.stderr.write("Atheris is missing: .venv/bin/uv pip install -r requirements/fuzz.txt\n")
        return 2
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in NAMES if asked.target == "all" else (asked.target,):
            rows.append(fuzz(name, seconds, (asked.keep or Path(scratch)) / name))
            sys.stdout.write(table(rows[-1:]) + "\n")
            sys.stdout.flush()
    sys.stdout.write(table(rows) + "\n")
    for row in rows:
        for kind, found in row["findings"].items():
            sys.stdout.write(f"\n{row['target']}: {kind}: {found['said']}\n  {found['given']}\n")
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1), "utf-8")
    return 1 if any(row["findings"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
