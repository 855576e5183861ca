"""Letting the machine run."""

from collections.abc import Generator
from contextlib import contextmanager

import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.payments.machine.databases import Database
from tests.payments.machine.figures import Figures
from tests.payments.machine.rules import Money

_PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
_CRITICAL = 50


def machine(database: Database) -> type[Money]:
    """The machine on ledgers of ``database``, with figures of its own."""
    return type("Money", (Money,), {"database": database, "figures": Figures()})


def play(database: Database, examples: int, steps: int = 50) -> Figures:
    """Run ``examples`` of ``steps`` rules each; what went wrong is raised, made as short as can be.

    Derandomised where the profile of hypothesis at hand says so.
    """
    kind = machine(database)
    # An example is a day and more of many processes: slow by nature.
    patient = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=_PHASES,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        deadline=None,
    )
    with quiet():
        run_state_machine_as_test(kind, settings=patient)
    return kind.figures


@contextmanager
def quiet() -> Generator[None, None, None]:
    """Without the services' log, which would take most of the time."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
