"""The endpoint, with settings that lead to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.llm.endpoint import Endpoint, configured


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[Endpoint]:
    with configured(settings) as server:
        yield server
