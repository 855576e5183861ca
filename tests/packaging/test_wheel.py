"""The wheel alone, in an empty folder: catalogues, migrations, scripts and pages are inside."""

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def test_the_wheel_runs_in_an_empty_folder(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path / "dist", ROOT],
        check=True,
        capture_output=True,
    )
    (wheel,) = (tmp_path / "dist").glob("iqamati-*.whl")
    site = tmp_path / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", site, wheel], check=True, capture_output=True)
    empty = tmp_path / "empty"
    empty.mkdir()
    told = subprocess.run(
        [sys.executable, "-m", "bot", "chat", "--timeout", "30"],
        input="٢٨٥٠١١٥٠٠٠٢٩\n1\n!pay approved\n",
        capture_output=True,
        text=True,
        cwd=empty,
        env={
            **{name: value for name, value in os.environ.items() if name != "DATA_DIR"},
            "PYTHONPATH": str(site),
            "PORT": free_port(),
            "SANDBOX_PORT": free_port(),
        },
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "عليه 3 مخالفات" in told.stdout
    assert "وصل المبلغ: 45.000 د.ك." in told.stdout
    assert (empty / ".data").is_dir()
    where = subprocess.run(
        [sys.executable, "-c", "import bot; print(bot.__file__)"],
        capture_output=True,
        text=True,
        cwd=empty,
        env={**os.environ, "PYTHONPATH": str(site)},
        check=True,
    )
    assert where.stdout.startswith(str(site))
