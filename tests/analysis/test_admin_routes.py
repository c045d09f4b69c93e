"""Routes in the hands of staff: what they say is what the next analysis does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from analysis import queue, run_analysis
from analysis.models import EndpointState, OperatorAction, PendingAnalysis
from analysis.worker.steward import Steward
from arboris.db import db_now
from arboris.llm.endpoints import Endpoint as Named
from arboris.llm.models import ModelCall, ModelRoute
from arboris.llm.routes import Entry
from arboris.novels.models import NovelProject
from tests.analysis.llm_answers import TEXT, says
from tests.analysis.test_admin import member, signed_in
from tests.analysis.test_llm_tasks import run_task
from tests.factories import make_user, queue_chapter
from tests.llm.endpoint import Endpoint, Reply, serving

pytestmark = pytest.mark.django_db(transaction=True)
ROUTES = "/admin/llm/modelroute/"
BLANK = {
    "endpoint": "", "model": "", "effort": "", "temperature": "", "fallback_endpoint": "",
    "fallback_model": "", "models": "", "reason": "",
}  # fmt: skip


@pytest.fixture
def staff() -> Client:
    return signed_in(make_user("boss", is_staff=True, is_superuser=True))


@pytest.fixture
def big(settings: Settings, endpoint: Endpoint) -> Iterator[Endpoint]:
    with serving() as server:
        settings.ARBORIS_LLM_ENDPOINTS = {
            "big": Named("big", "large", server.base_url, "sk-of-big", ("medium",))
        }
        endpoint.answer = server.answer = says()
        yield server


def save(staff: Client, purpose: str, **fields: Any) -> Any:
    row = ModelRoute.objects.filter(purpose=purpose).first()
    page = f"{ROUTES}{row.pk}/change/" if row else f"{ROUTES}add/"
    return staff.post(page, BLANK | {"purpose": purpose} | fields)


def faults(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200  # the form again
    found: dict[str, list[str]] = response.context_data["adminform"].form.errors
    return found


def test_a_route_counts_from_the_next_analysis_on(
    project: NovelProject, settings: Settings, staff: Client, endpoint: Endpoint, big: Endpoint
) -> None:
    settings.ARBORIS_LLM_ROUTES = {"analysis": Entry(temperature=0.2)}
    changed = save(staff, "foreshadowing", endpoint="big", model="medium", effort="high")
    assert changed.status_code == 302
    save(staff, "foreshadowing", endpoint="big", model="medium", effort="high", temperature="0.9",
         reason="it thinks better")  # fmt: skip
    assert run_task(project, settings).status == "completed"
    (asked,) = big.requests
    assert (asked["model"], asked["reasoning_effort"], asked["temperature"]) == (
        "medium",
        "high",
        0.9,
    )
    assert [(body["model"], body["temperature"]) for body in endpoint.requests] == [
        ("test-model", 0.2)
    ] * 3
    latest = OperatorAction.objects.latest("pk")
    assert (latest.actor, latest.action, latest.reason) == (
        "boss",
        "change_route",
        "it thinks better",
    )
    assert latest.details["before"]["temperature"] is None
    assert latest.details["now"]["temperature"] == 0.9
    page = staff.get(ROUTES, headers={"accept-language": "en"}).content.decode()
    assert "big: medium" in page
    assert big.base_url not in page
    row = ModelRoute.objects.get()
    assert staff.post(f"{ROUTES}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert OperatorAction.objects.latest("pk").action == "reset_route"
    run_task(project, settings)
    assert len(big.requests) == 1


def test_the_fallback_is_told_in_the_log(
    project: NovelProject, settings: Settings, staff: Client, endpoint: Endpoint, big: Endpoint
) -> None:
    endpoint.answer = lambda body: Reply(status=401, error={"message": "invalid api key"})
    settings.ARBORIS_ANALYZER = "llm"
    queue_chapter(project, TEXT * 6)
    paused = run_next()
    assert (paused.status, paused.error_type) == ("pending", "llm_key_refused")
    assert EndpointState.objects.get().paused_at is not None
    # Whoever names another way lets the analyses go on, at once.
    assert save(staff, "*", fallback_endpoint="big").status_code == 302
    assert EndpointState.objects.get().paused_at is None
    PendingAnalysis.objects.update(due_at=db_now())
    done = run_next()
    assert done.status == "completed"
    answered = ModelCall.objects.filter(outcome="ok").values_list(
        "endpoint", "model", "instead_of", "task_id"
    )
    assert set(answered) == {("big", "large", "default", done.pk)}
    assert len(answered) == 4
    assert EndpointState.objects.get().paused_at is None
    shown = staff.get("/admin/llm/modelcall/", headers={"accept-language": "en"}).content.decode()
    assert "default" in shown


def test_one_endpoint_that_refuses_us_holds_up_all_analyses(
    project: NovelProject, settings: Settings, endpoint: Endpoint, big: Endpoint
) -> None:
    settings.ARBORIS_ANALYZER = "llm"
    settings.ARBORIS_LLM_ROUTES = {"foreshadowing": Entry(endpoint="big")}
    big.answer = lambda body: Reply(status=401, error={"message": "invalid api key"})
    queue_chapter(project, TEXT * 6)
    task = run_next()
    assert (task.status, task.retry_count) == ("pending", 0)
    assert task.error_message.startswith("big: ")
    state = EndpointState.objects.get()
    assert state.paused_at is not None
    assert state.error_message.startswith("big: ")
    PendingAnalysis.objects.update(due_at=db_now())
    assert queue.claim("host:1", queue.configured()) is None
    # With another key of that endpoint it is asked at once, and only about what is missing.
    big.answer = says()
    settings.ARBORIS_LLM_ENDPOINTS = {"big": Named("big", "large", big.base_url, "sk-new")}
    before = len(endpoint.requests)
    assert run_next().status == "completed"
    assert (len(big.requests), len(endpoint.requests)) == (2, before)


def run_next() -> PendingAnalysis:
    """As a worker does."""
    claim = queue.claim("host:1", queue.configured())
    assert claim is not None
    run_analysis.run(claim, Steward())
    return PendingAnalysis.objects.get(pk=claim.task_id)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"endpoint": "nowhere"}, "endpoint"),
        ({"endpoint": "big", "model": "tiny"}, "model"),
        ({"model": "x" * 201}, "model"),
        ({"effort": "extreme"}, "effort"),
        ({"temperature": "2.5"}, "temperature"),
        ({"temperature": "nan"}, "temperature"),
        ({"fallback_endpoint": "big", "fallback_model": "tiny"}, "fallback_model"),
        ({"endpoint": "big", "limited": "on", "models": "medium\ntiny"}, "models"),
        ({"models": "medium"}, "limited"),
        ({"limited": "on", "models": "a\x00b"}, "models"),
    ],
)
def test_what_no_endpoint_takes_is_refused(
    settings: Settings, staff: Client, big: Endpoint, fields: dict[str, str], field: str
) -> None:
    settings.ARBORIS_LLM_MODELS = ["other"]
    assert field in faults(save(staff, "generation", **fields))
    assert not ModelRoute.objects.exists()
    assert not OperatorAction.objects.exists()


def test_a_wider_route_must_fit_the_narrower_ones(
    settings: Settings, staff: Client, big: Endpoint
) -> None:
    assert save(staff, "foreshadowing", model="anything").status_code == 302
    assert "foreshadowing" in str(faults(save(staff, "*", endpoint="big")))


def test_who_may_only_look_sees_no_form(big: Endpoint, staff: Client) -> None:
    save(staff, "*", endpoint="big")
    looker = member("view_modelroute")
    row = ModelRoute.objects.get()
    assert looker.get(f"{ROUTES}{row.pk}/change/").status_code == 200
    assert looker.post(f"{ROUTES}{row.pk}/change/", BLANK).status_code == 403
    assert looker.get(f"{ROUTES}add/").status_code == 403
    nobody = member()
    assert nobody.get(ROUTES).status_code == 403
