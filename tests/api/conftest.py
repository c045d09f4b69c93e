"""The language model that generated chapters are written by."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.api.generating import PIECES
from tests.llm_server import ModelServer, Script, serving
from tests.waiting import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def running() -> Iterator[ModelServer]:
    with serving() as server:
        yield server


@pytest.fixture
def model(running: ModelServer, settings: Settings) -> Script:
    running.script = Script(pieces=list(PIECES))
    settings.ARBORIS_LLM_BASE_URL = running.base_url
    settings.ARBORIS_LLM_MODEL = "test-model"
    settings.ARBORIS_LLM_API_KEY = "key-1"
    settings.ARBORIS_LLM_TIMEOUT = PATIENCE_SECONDS
    settings.ARBORIS_LLM_RETRIES = 0
    return running.script
