"""The sandbox keeps its OpenAPI document: schemathesis asks everything the document allows, and more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, settings
from schemathesis import Case, HookContext
from schemathesis.config import SchemathesisConfig

import bot.sandbox
from bot.sandbox.recorded import Recorded
from tests.sandbox.kit import DOWN, TOKEN, FakeClock, Stage, registry

DOCUMENT = Path(bot.sandbox.__file__).parent / "openapi" / "registry.yaml"
schema = schemathesis.openapi.from_path(DOCUMENT, config=SchemathesisConfig(seed=20261121))
stage = schema.app = Stage()

DOWN_REFERENCE = "3293770232"


@pytest.fixture(scope="module", autouse=True)
def served() -> Iterator[None]:
    recorded = Recorded()
    stage.app = registry(FakeClock(), recorded)
    yield
    recorded.close()


@schema.hook
def map_body(_context: HookContext, body: Any) -> Any:
    """JSON Schema counts 5.0 as an integer; the document asks in words to write 5."""
    return whole(body)


def whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: whole(part) for key, part in value.items()}
    if isinstance(value, list):
        return [whole(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schema.parametrize()
@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_in_the_document(case: Case[Any]) -> None:
    # Literals of the code are tried as values: the one person whose registry is down is meant to be.
    assume(not any(number in str(case.body) for number in (DOWN, DOWN_REFERENCE)))
    case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"})
