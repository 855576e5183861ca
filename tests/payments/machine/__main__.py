"""``python -m tests.payments.machine [examples]``: run the machine on SQLite, print what it came through."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings

from tests.payments.machine.databases import SQLite
from tests.payments.machine.figures import table
from tests.payments.machine.play import play

settings.register_profile("machine", deadline=None, database=None)
settings.load_profile("machine")

with TemporaryDirectory(prefix="iqamati-machine-") as folder:
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    sys.stdout.write(f"{table(play(SQLite(Path(folder)), examples))}\n")
