"""What the machine came through, over all examples."""

from collections import Counter
from dataclasses import dataclass, field

from tests.payments.machine.truths import ALLOWED, Change


@dataclass
class Figures:
    """Counts; ``seen``: changes of state."""

    examples: int = 0
    steps: int = 0
    held: int = 0
    killed: int = 0
    captures: int = 0
    seconds: int = 0
    refunds: int = 0
    rules: Counter[str] = field(default_factory=Counter[str])
    seen: set[Change] = field(default_factory=set[Change])


def table(figures: Figures) -> str:
    """What the machine came through, to be printed."""
    seen = figures.seen
    lines = [
        ("examples", figures.examples),
        ("steps", figures.steps),
        ("changes of state seen", f"{len(seen)} of {len(ALLOWED)}"),
        ("captures", figures.captures),
        ("second captures", figures.seconds),
        ("refunds", figures.refunds),
        ("held half-way", figures.held),
        ("died half-way", figures.killed),
    ]
    rows = [f"{name:24}{number:>12}" for name, number in lines]
    rows += [f"  {name:22}{number:>12}" for name, number in sorted(figures.rules.items())]
    if missing := sorted(ALLOWED - seen):
        rows += ["never seen:", *(f"  {kind}: {old or 'nothing'} → {new}" for kind, old, new in missing)]
    return "\n".join(rows)
