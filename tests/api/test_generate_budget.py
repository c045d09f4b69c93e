"""A month's budget that is used up: no chapter is written, and the answer is a 402."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from arboris.llm.accounting import admission, call_log, prices
from arboris.llm.accounting.admission import Payer, RequestRecord, Usage
from arboris.llm.models import ModelCall
from arboris.novels.models import Chapter, NovelProject
from tests.api.generating import PIECES, events, generate
from tests.factories import JsonClient
from tests.llm_server import Script

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("same_month")]


@pytest.fixture(autouse=True)
def one_a_month(settings: Settings) -> None:
    table = '{"*": {"prompt": 100000, "completion": 100000}}'
    settings.ARBORIS_LLM_PRICES = prices.table("ARBORIS_LLM_PRICES", table)
    settings.ARBORIS_LLM_BUDGET_PROJECT = 1


def test_over_budget_is_402_and_asks_nobody(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    payer = Payer("generation", project.pk, project.owner_id)
    call_log.write(call_log.row(payer, RequestRecord("m", Usage(1000, 0), admission.OK, 1.0)))
    for accept in ("application/json", "text/event-stream"):
        url = f"/api/projects/{project.pk}/chapters/generate"
        answer = api.post(url, {}, headers={"accept": accept})
        assert (answer.status_code, answer.json()["code"]) == (402, "over_budget")
        assert answer.json()["detail"]
    assert model.requests == []
    assert not Chapter.objects.exists()


def test_what_a_chapter_costs_is_logged(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    assert generate(api, project).status_code == 201
    call = ModelCall.objects.get()
    assert (call.purpose, call.project_id, call.user_id) == (
        "generation",
        project.pk,
        project.owner_id,
    )
    assert call.prompt_tokens > 0 and call.outcome == "ok"


def test_a_stream_that_breaks_off_is_paid_for(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    model.break_off_after = 9
    (_, error) = events(api, project)[-1]
    assert error["chapter"]["content"] == "".join(PIECES[:9])
    assert ModelCall.objects.get().completion_tokens > 50
