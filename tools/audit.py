"""Known holes in the locked dependencies: asks the OSV database (osv.dev) with pip-audit.

    python -m tools.audit            # a hole, or no answer, is a failure
    python -m tools.audit --if-able  # no answer is said, and is none

pip-audit alone cannot tell "no holes" from "nobody answered": where a package index has no security data it
reports every package as skipped and succeeds. Here a skipped package is one that nobody answered for.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
LOCKED: Final = ROOT / "requirements" / "dev.txt"
"""Everything that is installed; what runs in earnest is part of it."""


def answer(locked: Path) -> list[dict[str, Any]] | None:
    """What the database says of each package of ``locked``; None where it does not answer."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "audit.json"
        subprocess.run(
            [
                sys.executable, "-m", "pip_audit", "--requirement", str(locked), "--require-hashes", "--disable-pip",
                "--vulnerability-service", "osv", "--timeout", "10", "--progress-spinner", "off",
                "--format", "json", "--output", str(out),
            ],
            check=False,
            capture_output=True,
        )  # fmt: skip
        if not out.exists():
            return None
        found: list[dict[str, Any]] = json.loads(out.read_text("utf-8"))["dependencies"]
    return found


def report(found: list[dict[str, Any]] | None) -> tuple[list[str], bool]:
    """Lines to print, and whether every package was answered for."""
    if found is None:
        return ["audit: osv.dev does not answer; the dependencies were NOT audited"], False
    lines = [
        f"{package['name']} {package['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'none yet'}"
        for package in found
        for hole in package.get("vulns", ())
    ]
    skipped = [package["name"] for package in found if "skip_reason" in package]
    if skipped:
        lines.append(f"audit: nobody answers for {len(skipped)} packages: {', '.join(skipped)}")
    elif not lines:
        lines.append(f"audit: no known hole in {len(found)} packages")
    return lines, not skipped


def status(found: list[dict[str, Any]] | None, *, if_able: bool) -> int:
    """The exit status: 1 for a hole, and for silence unless that is allowed."""
    if any(package.get("vulns") for package in found or ()):
        return 1
    return 0 if if_able or report(found)[1] else 1


def main(arguments: list[str]) -> int:
    """Run it; the exit status."""
    found = answer(LOCKED)
    print("\n".join(report(found)[0]))
    return status(found, if_able="--if-able" in arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
