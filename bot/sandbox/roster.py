"""Civil IDs of a body's workers as a CSV file, to try a batch with.

``python -m bot.sandbox.roster 371828183 > workers.csv``
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import date

from bot.clock import SystemClock, local
from bot.sandbox.relations import workers


def roster(body: str, today: date) -> Iterator[str]:
    """The file's lines: a heading, then a civil ID each."""
    yield "الرقم المدني\n"
    for person in workers(body, today):
        yield f"{person.civil_id}\n"


def main(arguments: Sequence[str]) -> None:
    """Write the workers of the body with the unified number that is named."""
    if len(arguments) != 1:
        sys.exit("usage: python -m bot.sandbox.roster UNIFIED-NUMBER")
    sys.stdout.writelines(roster(arguments[0], local(SystemClock().now()).date()))


if __name__ == "__main__":
    main(sys.argv[1:])
