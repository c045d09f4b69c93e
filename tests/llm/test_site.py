"""A real site whose analyses ask a model, with call slots, prices and the call log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from pytest_django import DjangoDbBlocker

from tests import live
from tests.factories import LONG_ENOUGH
from tests.live import Site, wait_for_task
from tests.llm import endpoint as llm

# The mark is for the site's database beside that of the suite.
pytestmark = pytest.mark.django_db

CHAPTERS, FEATURES = 4, 4
PRICES = {"*": {"prompt": 100, "completion": 1000}}


def slowly_found_nothing(body: dict[str, Any]) -> llm.Reply:
    return replace(llm.found_nothing(body), usage=(100, 10), wait=0.1)


@pytest.fixture(scope="module")
def model() -> Iterator[llm.Endpoint]:
    with llm.serving() as server:
        server.answer = slowly_found_nothing
        yield server


@pytest.fixture(scope="module")
def site(
    model: llm.Endpoint,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Site]:
    extra = {
        "DJANGO_SETTINGS_MODULE": "arboris.settings",
        "ARBORIS_ANALYZER": "llm",
        "ARBORIS_SUMMARY": "extractive",  # the calls of analyses alone are counted
        "ARBORIS_LLM_BASE_URL": model.base_url,
        "ARBORIS_LLM_MODEL": "test-model",
        "ARBORIS_LLM_API_KEY": llm.KEY,
        "ARBORIS_LLM_MAX_CALLS": "3",
        "ARBORIS_LLM_PRICES": json.dumps(PRICES),
        "ARBORIS_LOG_LEVEL": "DEBUG",
    }
    # That its processes end on SIGTERM, their accounting threads with them, is asserted there.
    with (
        django_db_blocker.unblock(),
        live.running(tmp_path_factory.mktemp("model"), extra) as running,
    ):
        yield running


def post_chapter(client: httpx2.Client, project: str, number: int) -> int:
    content = f"{LONG_ENOUGH}第{number}夜。"
    answer = client.post(f"/api/projects/{project}/chapters", json={"content": content})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["analysis"]["id"])


def test_analyses_keep_the_limit_and_tell_their_cost(site: Site, model: llm.Endpoint) -> None:
    with site.client() as client:
        project = client.post("/api/projects", json={"title": "听雨楼"}).json()["id"]
        tasks = [post_chapter(client, project, number) for number in range(CHAPTERS)]
        for task in tasks:
            detail = wait_for_task(client, task)
            assert detail["status"] == "completed", site.log()
            usage = detail["token_usage"]
            assert (usage["prompt"], usage["completion"]) == (400, 40)
            assert Decimal(usage["cost"]) == Decimal("0.08")
        metrics = client.get("/metrics").text
    assert len(model.requests) == CHAPTERS * FEATURES
    # Two workers would make eight calls at a time.
    assert model.most_calls == 3
    series = 'arboris_llm_tokens_total{feature="foreshadowing",kind="prompt",model="test-model"}'
    assert f"{series} 400.0" in metrics
    assert llm.KEY not in metrics
    for log in site.directory.glob("*.log"):
        assert llm.KEY not in log.read_text()
