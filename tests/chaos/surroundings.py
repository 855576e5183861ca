"""What stands around the service in every rehearsal: registry, gateway and identity provider in one process; settings that lead there."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.chaos.botapi import TOKEN
from tests.chaos.service import ROOT

PUBLIC: Final = "https://iqamati.test"
SECRET: Final = "webhook-secret"
_OUTSIDE: Final = "outside-secret"


def leading_to(outside: int) -> dict[str, str]:
    """Settings of a service whose world is at the port ``outside``; Redis, ledger, keys and Bot API are still to be named."""
    base = f"http://127.0.0.1:{outside}"
    return {
        "PUBLIC_URL": PUBLIC,
        "TELEGRAM_TOKEN": TOKEN,
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
        "TELEGRAM_PER_SECOND": "1000",
        "REGISTRY_URL": f"{base}/registry",
        "REGISTRY_TOKEN": _OUTSIDE,
        "PAYMENTS": "sandbox",
        "GATEWAY_URL": f"{base}/gateway",
        "GATEWAY_SECRET": _OUTSIDE,
        "OIDC_ISSUER": f"{base}/identity",
        "OIDC_CLIENT_ID": "iqamati",
        "OIDC_CLIENT_SECRET": _OUTSIDE,
    }


def begun(
    folder: Path,
    port: int,
    ports: Sequence[int],
    seed: int,
    *,
    failing: float = 0.0,
    through: Sequence[str] = (),
) -> "subprocess.Popen[bytes]":
    """The world outside, listening on ``port`` a little later.

    Args:
        folder: for its log.
        port: its own.
        ports: the service's, to which it sends notifications and browsers.
        seed: of its chance.
        failing: share of calls that go wrong.
        through: a module and its arguments that run it, as `bench.soak.hurried` does.
    """
    settings = {
        "folder": str(folder),
        "port": port,
        "ports": list(ports),
        "failing": failing,
        "seed": seed,
        "secret": _OUTSIDE,
        "public": PUBLIC,
    }
    with (folder / "outside.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", *through, "tests.chaos.outside", json.dumps(settings)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def ended(process: "subprocess.Popen[bytes]") -> None:
    """It is gone."""
    process.kill()
    process.wait()
