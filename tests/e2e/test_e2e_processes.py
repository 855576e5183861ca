"""Starting, stopping, being killed, and settings that cannot work."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bot.config import Settings
from tests.e2e.command import CIVIL_ID, ROOT, Ended, Home, free_port


def refused(ended: Ended, setting: str) -> str:
    """The one line that says why it does not start."""
    assert ended.code == 1, ended
    assert ended.lines == []
    (line,) = ended.errors
    assert line.startswith(f"iqamati: {setting}"), line
    return line


# --- the life of a process -------------------------------------------------------------------------------


def test_ctrl_c_ends_it_without_a_trace(home: Home) -> None:
    with home.running() as run:
        assert home.valkey()
        second = refused(home.command("run", PORT=str(free_port())), "DATA_DIR")
        assert "data" in second
        assert home.valkey()  # the first one's is still there
        ended = run.interrupt()
    assert ended == Ended(0, ["Stopping."], [])
    assert not home.valkey()


def test_a_service_manager_ends_it_too(home: Home) -> None:
    with home.running() as run:
        run.process.send_signal(signal.SIGTERM)
        assert run.ended() == Ended(0, ["Stopping."], [])
    assert not home.valkey()


@pytest.mark.long
def test_a_killed_run_is_carried_on_by_the_next(home: Home) -> None:
    first = home.start("run")
    assert first.stdout is not None
    while "Ctrl-C" not in first.stdout.readline():
        pass
    home.chat(CIVIL_ID)
    left = home.valkey()
    first.kill()
    first.communicate()
    assert home.valkey() == left  # nobody told it to end
    with home.running() as run:
        assert home.valkey() == left
        lines = home.chat("1")
        assert lines[1] == "< المبلغ 45.000 د.ك. عن 3 مخالفات"
        assert run.interrupt() == Ended(0, ["Stopping."], [])
    assert not home.valkey()
    # And from disk, once more.
    assert home.chat("/help")[0] == "> /help"
    assert not home.valkey()


def test_a_chat_that_is_interrupted_leaves_nothing(home: Home) -> None:
    process = home.start("chat")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("السلام عليكم\n")
    process.stdin.flush()
    while not process.stdout.readline().startswith("  ["):
        pass
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) == 130  # before its input ends, which is a way to leave, too
    _, errors = process.communicate()
    assert errors == ""
    assert not home.valkey()


# --- settings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "70000"),
        ("HOST", "no such host"),
        ("HOST", "203.0.113.7"),
        ("PUBLIC_URL", "http://example.org"),
        ("LOG_LEVEL", "loud"),
        ("SECRET_KEYS", "hunter2"),
        ("SECRET_KEYS", "aHVudGVyMg==:aHVudGVyMg=="),
        ("REDIS_URL", "redis://:hunter2@127.0.0.1:{closed}/0"),
        ("REDIS_URL", "redis://:hunter2@127.0.0.1:{closed}/0?cluster=1"),
        ("REDIS_URL", "hunter2"),
        ("DATABASE_URL", "oracle://someone:hunter2@127.0.0.1/x"),
        ("DATABASE_URL", "hunter2"),
        ("DATABASE_URL", "postgresql+asyncpg://someone:hunter2@127.0.0.1:{closed}/x"),
        ("DATABASE_URL", "postgresql://someone:hunter2@127.0.0.1:{closed}/x"),
        ("DATA_DIR", "/proc/nowhere"),
        ("REGISTRY_URL", "hunter2"),
        ("GATEWAY_URL", "hunter2"),
    ],
)
def test_a_setting_that_cannot_work(home: Home, setting: str, value: str) -> None:
    line = refused(home.command("run", **{setting: value.format(closed=free_port())}), setting)
    assert "hunter2" not in line


@pytest.mark.parametrize("setting", ["PORT", "SANDBOX_PORT"])
def test_a_port_that_is_taken(home: Home, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert port in refused(home.command("run", **{setting: port}), setting)


def test_a_data_folder_that_is_a_file(home: Home) -> None:
    (home.folder / "data").write_text("not a folder", "ascii")
    refused(home.command("run"), "DATA_DIR")
    refused(home.command("chat"), "DATA_DIR")


def test_a_user_who_cannot_be_named(home: Home) -> None:
    ended = home.command("chat", "--channel-user", "no body")
    assert ended.code in (1, 2)
    assert "channel-user" in ended.errors[-1]
    assert "Traceback" not in "".join(ended.errors)


def test_new_keys_are_good_keys(home: Home) -> None:
    ended = home.command("keys", "new")
    (keys,) = ended.lines
    assert (ended.code, ended.errors) == (0, [])
    started = home.command("chat", text="السلام عليكم\n", SECRET_KEYS=keys)
    assert (started.code, started.errors) == (0, [])
    assert not (home.folder / "data" / "secret_keys").exists()
    refused(home.command("run", SECRET_KEYS=keys[:-8]), "SECRET_KEYS")


def test_the_example_names_every_setting_and_its_default(tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    names = re.findall(r"^#?([A-Z][A-Z_]*)=", example, re.MULTILINE)
    assert len(names) == len(set(names))
    assert set(names) == {name.upper() for name in Settings.model_fields}
    (tmp_path / "all").write_text(re.sub(r"^#(?=[A-Z][A-Z_]*=)", "", example, flags=re.MULTILINE), "utf-8")
    program = (
        "import sys; from bot.config import Settings\n"
        "assert Settings(_env_file=sys.argv[1]) == Settings(_env_file=None)"
    )
    environment = Home(tmp_path).environment()
    for name in ("PORT", "SANDBOX_PORT", "DATA_DIR"):
        del environment[name]
    python = [sys.executable, "-c", program, str(tmp_path / "all")]
    subprocess.run(python, cwd=tmp_path, env=environment, check=True)
