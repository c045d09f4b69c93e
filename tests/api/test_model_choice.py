"""Writers choose among the models that are allowed; anything else is a 400 that names the field."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from analysis import queue, run_analysis
from analysis.models import PendingAnalysis
from analysis.worker.steward import Steward
from arboris.llm.endpoints import Endpoint as Named
from arboris.llm.models import ModelRoute
from arboris.llm.routes import Entry, Target
from arboris.novels.models import NovelProject
from tests.analysis.llm_answers import TEXT, says
from tests.factories import JsonClient
from tests.llm.endpoint import Endpoint, Reply, configured, serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def own(settings: Settings) -> Iterator[Endpoint]:
    """The site's own endpoint, with routes that leave writers a choice."""
    settings.ARBORIS_ANALYZER = "llm"
    settings.ARBORIS_SUMMARY = "extractive"
    settings.ARBORIS_LLM_ROUTES = {
        "generation": Entry(temperature=0.9, choices=("test-model", "poet")),
        "analysis": Entry(choices=()),
    }
    with configured(settings) as server:
        server.answer = says()
        yield server


@pytest.fixture
def poets(settings: Settings, own: Endpoint) -> Iterator[Endpoint]:
    with serving() as server:
        settings.ARBORIS_LLM_ENDPOINTS = {"poets": Named("poets", "poet", server.base_url)}
        server.answer = lambda body: Reply("夜雨敲窗。")
        yield server


def generate(api: JsonClient, project: NovelProject, **more: object) -> int:
    answer = api.post(f"/api/projects/{project.pk}/chapters/generate", {"mode": "basic", **more})
    return int(answer.status_code)


def test_what_may_be_chosen_is_told(
    api: JsonClient, own: Endpoint, settings: Settings, project: NovelProject
) -> None:
    told = api.get("/api/models").json()
    assert told == {"writing_model": ["test-model", "poet"], "analysis_model": []}
    settings.ARBORIS_LLM_ROUTES = {}
    assert api.get("/api/models").json() == {"writing_model": None, "analysis_model": None}
    settings.ARBORIS_LLM_MODELS = ["other"]
    assert api.get("/api/models").json()["analysis_model"] == ["test-model", "other"]


def test_a_novel_is_written_by_the_model_that_its_writer_chose(
    api: JsonClient, project: NovelProject, own: Endpoint, poets: Endpoint
) -> None:
    own.answer = lambda body: Reply("晨光熹微。")
    assert generate(api, project) == 201
    url = f"/api/projects/{project.pk}"
    assert api.patch(url, {"writing_model": "poet"}).json()["writing_model"] == "poet"
    assert generate(api, project) == 201
    assert generate(api, project, generation_config={"model_name": "test-model"}) == 201
    asked = [(body["model"], body["temperature"]) for body in (*own.requests, *poets.requests)]
    assert asked == [("test-model", 0.9), ("test-model", 0.9), ("poet", 0.9)]
    # The site's own model takes its place where it cannot be asked, or is not allowed any more.
    poets.answer = lambda body: Reply(status=401, error={"message": "no"})
    assert generate(api, project) == 201
    ModelRoute.objects.create(purpose="generation", choices=["test-model"])
    assert generate(api, project) == 201
    assert (len(own.requests), len(poets.requests)) == (4, 2)


def test_the_novels_page_offers_what_may_be_chosen(
    api: JsonClient, project: NovelProject, own: Endpoint
) -> None:
    project.writing_model = "poet"
    project.save()
    browser = Client()
    browser.force_login(project.owner)
    page = browser.get(f"/projects/{project.pk}").content.decode()
    assert '<select id="edit-writing_model" name="writing_model">' in page
    assert "<option selected>poet</option>" in page
    assert "edit-analysis_model" not in page  # there the site leaves no choice


@pytest.mark.parametrize("column", ["writing_model", "analysis_model"])
def test_another_model_is_refused(
    api: JsonClient, project: NovelProject, own: Endpoint, column: str
) -> None:
    for method, url in ((api.patch, f"/api/projects/{project.pk}"), (api.post, "/api/projects")):
        answer = method(url, {"title": "x", column: "huge"})
        assert answer.status_code == 400
        assert column in answer.json()
    project.refresh_from_db()
    assert (project.title, project.writing_model) != ("x", "huge")


def test_another_model_is_refused_for_one_chapter(
    api: JsonClient, project: NovelProject, own: Endpoint
) -> None:
    url = f"/api/projects/{project.pk}/chapters"
    for path in (url, f"{url}/generate"):
        wish = {"content": TEXT * 6, "generation_config": {"model_name": "huge"}}
        answer = api.post(path, wish)
        assert answer.status_code == 400
        assert "model_name: " in answer.json()["generation_config"][0]
    assert own.requests == []


def test_staff_may_let_writers_choose_who_analyses(
    api: JsonClient, project: NovelProject, own: Endpoint, settings: Settings
) -> None:
    settings.ARBORIS_LLM_ROUTES = {"analysis": Entry(choices=("careful",))}
    assert (
        api.patch(f"/api/projects/{project.pk}", {"analysis_model": "careful"}).status_code == 200
    )
    for config in ({}, {"model_name": "careful"}):
        answer = api.post(
            f"/api/projects/{project.pk}/chapters",
            {"content": TEXT * 6, "generation_config": config},
        )
        assert answer.status_code == 201
        analyse()
    assert {body["model"] for body in own.requests} == {"careful"}
    # A model that does not answer costs neither the analysis nor the endpoint: the site's own does.
    plain = says()
    own.answer = lambda body: (
        Reply(status=404, error={"message": "no such model"})
        if body["model"] == "careful"
        else plain(body)
    )
    api.post(f"/api/projects/{project.pk}/chapters", {"content": TEXT * 7})
    assert analyse().status == "completed"
    assert own.requests[-1]["model"] == "test-model"


def analyse() -> PendingAnalysis:
    claim = queue.claim("host:1", queue.configured())
    assert claim is not None
    run_analysis.run(claim, Steward())
    return PendingAnalysis.objects.get(pk=claim.task_id)


def test_a_chapters_own_wish_stays_free_where_nothing_is_limited(
    api: JsonClient, project: NovelProject, own: Endpoint, settings: Settings
) -> None:
    """As before there were routes: any model of the endpoint, and its error where it has none."""
    settings.ARBORIS_LLM_ROUTES = {"*": Entry(fallback=Target(model="spare"))}
    content = {"content": TEXT * 6, "generation_config": {"model_name": "mine"}}
    assert api.post(f"/api/projects/{project.pk}/chapters", content).status_code == 201
    assert analyse().status == "completed"
    assert {body["model"] for body in own.requests} == {"mine"}
