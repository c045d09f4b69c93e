"""The call log and used-up budgets in the hands of staff."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from analysis import queue
from analysis.models import OperatorAction, PendingAnalysis
from arboris.db import db_now
from arboris.llm.accounting import admission, budget, call_log, prices
from arboris.llm.accounting.admission import Payer, RequestRecord, Usage
from arboris.llm.errors import OverBudget
from arboris.llm.models import BudgetStop, ModelCall
from arboris.novels.models import NovelProject
from tests.analysis.test_admin import member, signed_in
from tests.factories import claim_next, make_project, make_user, queue_chapter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("same_month")]
CALLS = "/admin/llm/modelcall/"
STOPS = "/admin/llm/budgetstop/"


@pytest.fixture
def staff() -> Client:
    return signed_in(make_user("boss", is_staff=True, is_superuser=True))


@pytest.fixture(autouse=True)
def priced(settings: Settings) -> None:
    table = '{"*": {"prompt": 100000, "completion": 100000}}'
    settings.ARBORIS_LLM_PRICES = prices.table("ARBORIS_LLM_PRICES", table)
    settings.ARBORIS_LLM_CURRENCY = "CNY"


def spend(
    project: NovelProject, purpose: str, tokens: int, *, outcome: str = admission.OK, days: int = 0
) -> None:
    account = Payer(purpose, project.pk, project.owner_id, task_id=tokens)
    row = call_log.row(account, RequestRecord("small", Usage(tokens, 0), outcome, 1.0))
    row.created_at = datetime.now(UTC) - timedelta(days=days)
    call_log.write(row)


def page(staff: Client, **query: Any) -> Any:
    response = staff.get(CALLS, query)
    assert response.status_code == 200
    assert "e" not in response.wsgi_request.GET
    return response


def sums(response: Any) -> list[list[tuple[Any, int, Decimal]]]:
    return [
        [(line["name"], line["number"], Decimal(line["total"])) for line in lines]
        for _, lines in response.context["sums"]
    ]


def test_sums_by_purpose_novel_writer_and_model(staff: Client, project: NovelProject) -> None:
    other = make_project(make_user("lin"), "雾海听钟")
    spend(project, "generation", 30)
    spend(project, "foreshadowing", 10)
    spend(other, "foreshadowing", 100)
    spend(other, "foreshadowing", 1000, days=40)  # of another month
    response = page(staff)
    assert sums(response) == [
        [("foreshadowing", 2, Decimal(11)), ("generation", 1, Decimal(3))],
        [(other, 1, Decimal(10)), (project, 2, Decimal(4))],
        [(other.owner, 1, Decimal(10)), (project.owner, 2, Decimal(4))],
        [("small", 3, Decimal(14))],
    ]
    text = response.content.decode()
    for shown in (
        "听雨楼",
        "雾海听钟",
        "lin",
        "CNY",
        f"Sums of {budget.month_of(datetime.now(UTC)):%Y-%m}",
    ):
        assert shown in text


def test_filters_and_search(staff: Client, project: NovelProject) -> None:
    other = make_project(make_user("lin"), "雾海听钟")
    spend(project, "generation", 30)
    spend(other, "foreshadowing", 10, outcome="llm_timeout")
    spend(other, "foreshadowing", 20, days=40)
    month = (datetime.now(UTC) - timedelta(days=40)).strftime("%Y-%m")

    def found(**query: Any) -> list[int]:
        rows = page(staff, **query).context["cl"].result_list
        return sorted(row.prompt_tokens for row in rows)

    assert found() == [10, 20, 30]
    assert found(purpose="generation") == [30]
    assert found(outcome="failed") == [10]
    assert found(outcome="ok") == [20, 30]
    assert found(month=month) == [20]
    assert found(month="nonsense") == [10, 20, 30]
    assert found(month="9999-12") == [10, 20, 30]
    assert found(model="small") == [10, 20, 30]
    assert found(q="lin") == found(q="雾海") == found(q=str(other.pk)) == [10, 20]
    assert found(q="30") == [30]
    assert found(q="nobody") == []
    assert sums(page(staff, month=month))[3] == [("small", 1, Decimal(2))]


def test_the_call_log_outlives_tasks_and_novels(staff: Client, project: NovelProject) -> None:
    spend(project, "generation", 30)
    pk = project.pk
    project.owner.delete()
    (_, novels, writers, _) = sums(page(staff))
    assert novels == [(pk, 1, Decimal(3))]
    assert len(writers) == ModelCall.objects.count() == 1


def test_nothing_of_it_can_be_changed(staff: Client, project: NovelProject) -> None:
    spend(project, "generation", 30)
    row = ModelCall.objects.get()
    assert staff.post(f"{CALLS}{row.pk}/change/", {"cost": "0"}).status_code == 403
    assert staff.post(f"{CALLS}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert staff.get(f"{CALLS}add/").status_code == 403
    assert ModelCall.objects.get().cost == Decimal(3)
    assert member().get(CALLS).status_code == 403
    assert member("view_modelcall").get(CALLS).status_code == 200


def test_the_list_takes_as_many_queries_however_long(staff: Client, project: NovelProject) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page(staff)
        return len(captured)

    spend(project, "generation", 30)
    few = queries()
    for number in range(30):
        spend(make_project(project.owner), "generation", number)
    assert queries() == few


def test_a_used_up_budget_is_lifted_and_recorded(
    staff: Client, project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(1)
    spend(project, "generation", 30)
    task = queue_chapter(project)
    queue.fail(claim_next(), OverBudget("so", scope="project"))
    stop = BudgetStop.objects.get()
    assert stop.subject in staff.get(STOPS).content.decode()
    data = {"action": "lift_now", "index": 0, "_selected_action": [stop.pk], "reason": "paid"}
    looker = member("view_budgetstop")
    assert looker.post(STOPS, data).status_code == 403
    assert BudgetStop.objects.get().lifted_at is None
    answer = staff.post(STOPS, data, follow=True)
    assert "1 budget was lifted." in answer.content.decode()
    assert PendingAnalysis.objects.get(pk=task.pk).due_at <= db_now()
    recorded = OperatorAction.objects.get()
    assert (recorded.actor, recorded.action, recorded.reason) == ("boss", "lift_budget", "paid")
    assert recorded.details["subject"] == f"project:{project.pk}"


def test_parked_tasks_are_a_metric(client: Client, project: NovelProject) -> None:
    def parked() -> str:
        lines = client.get("/metrics").content.decode().splitlines()
        return next(line for line in lines if line.startswith("pending_analysis_parked "))

    assert parked().endswith(" 0.0")
    queue_chapter(project)
    queue.fail(claim_next(), OverBudget("so", scope="writer"))
    assert parked().endswith(" 1.0")
