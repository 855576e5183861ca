"""``python -m tests.chaos.skewed SECONDS run``: the command line on a machine whose clock is wrong."""

import sys
import time


def main() -> None:
    """Set the wall clock of this process wrong, then be the service."""
    wrong, right = float(sys.argv.pop(1)), time.time  # noqa: TID251 - the very clock
    time.time = lambda: right() + wrong  # noqa: TID251 - before anything of the service is imported
    from bot.__main__ import main as service  # noqa: PLC0415 - see above

    service()


if __name__ == "__main__":
    main()
