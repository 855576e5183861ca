"""Every transcript is played in both languages."""

import pytest

from tests.dialogs.harness import Chat


@pytest.fixture(params=["ar", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def chat(language: str) -> Chat:
    return Chat(language)
