"""A model for the analyzer that asks one: it finds nothing, until a test says what it answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.analysis.llm_answers import says
from tests.llm.endpoint import Endpoint, configured


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[Endpoint]:
    with configured(settings) as server:
        server.answer = says()
        yield server
