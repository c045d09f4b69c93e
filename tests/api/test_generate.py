"""POST …/chapters/generate against a real HTTP server that speaks like a language model."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from analysis.errors import sentence_for
from analysis.models import PendingAnalysis
from arboris.novels import services
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from tests.api.generating import PIECES, events, generate
from tests.factories import JsonClient, make_chapter
from tests.llm_server import Script
from tests.waiting import PATIENCE_SECONDS


def test_the_chapter_is_written_saved_and_enqueued(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    make_chapter(project)
    answer = generate(api, project, instructions="写一场雨夜对谈", title="雨夜", priority=8)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert (body["chapter_number"], body["title"]) == (2, "雨夜")
    assert body["content"] == "".join(PIECES)
    task = PendingAnalysis.objects.get(pk=body["analysis"]["id"])
    assert (task.status, task.priority) == ("pending", 8)
    assert ChapterVersion.objects.get(chapter_id=body["id"]).source == "generated"


def test_the_model_gets_the_wish_and_the_key(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    config = {"model_name": "other-model", "temperature": 0.25}
    generate(api, project, instructions="写一场雨夜对谈", generation_config=config)
    asked, *for_the_summary = model.requests
    assert (asked["model"], asked["temperature"]) == ("other-model", 0.25)
    assert "写一场雨夜对谈" in asked["messages"][-1]["content"]
    assert {request["model"] for request in for_the_summary} == {"other-model"}
    assert set(model.keys) == {"Bearer key-1"}


def test_the_text_arrives_as_events(api: JsonClient, project: NovelProject, model: Script) -> None:
    *deltas, (last, saved) = events(api, project, title="雨夜")
    assert deltas == [("delta", {"text": piece}) for piece in PIECES]
    assert last == "saved"
    assert saved["content"] == "".join(PIECES)
    assert saved["analysis"]["status"] == "pending"
    assert Chapter.objects.get().pk == saved["id"]


def test_unconfigured_is_503_and_names_the_settings(
    api: JsonClient, project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_LLM_BASE_URL = settings.ARBORIS_LLM_MODEL = ""
    answer = generate(api, project)
    assert answer.status_code == 503
    assert answer.json()["code"] == "llm_not_configured"
    for name in ("ARBORIS_LLM_BASE_URL", "ARBORIS_LLM_MODEL", "ARBORIS_LLM_API_KEY"):
        assert name in answer.json()["detail"]
    assert not Chapter.objects.exists()


@pytest.mark.parametrize("model_name", ["", "test-model"])
def test_the_page_offers_it_where_a_model_is_configured(
    client: Client, project: NovelProject, settings: Settings, model_name: str
) -> None:
    settings.ARBORIS_LLM_BASE_URL = "http://127.0.0.1:1/v1"
    settings.ARBORIS_LLM_MODEL = model_name
    client.force_login(project.owner)
    page = client.get(f"/projects/{project.pk}").content.decode()
    assert ('data-testid="generate-form"' in page) == bool(model_name)
    assert 'data-testid="chapter-form"' in page


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "llm_key_refused"), (403, "llm_key_refused"), (429, "llm_rate_limited"),
     (500, "llm_server_error"), (400, "llm_request_refused")],
)  # fmt: skip
def test_an_endpoint_that_refuses_is_503(
    api: JsonClient, project: NovelProject, model: Script, status: int, code: str
) -> None:
    model.status = status
    model.headers = {"x-should-retry": "false"}
    answer = generate(api, project)
    assert answer.status_code == 503
    assert answer.json()["code"] == code
    with translation.override("zh-hans"):
        assert answer.json()["detail"] == sentence_for(code)  # not what the endpoint says
    assert "key-1" not in answer.content.decode()
    assert not Chapter.objects.exists()


def test_an_unreachable_endpoint_is_503(
    api: JsonClient, project: NovelProject, model: Script, settings: Settings
) -> None:
    settings.ARBORIS_LLM_BASE_URL = "http://127.0.0.1:1/v1"  # nothing listens there
    answer = generate(api, project)
    assert (answer.status_code, answer.json()["code"]) == (503, "llm_unreachable")


def test_an_endpoint_that_falls_silent_is_503(
    api: JsonClient, project: NovelProject, model: Script, settings: Settings
) -> None:
    settings.ARBORIS_LLM_TIMEOUT = 0.2
    settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT = PATIENCE_SECONDS
    model.hold_after = 1
    answer = generate(api, project)
    model.go_on.set()
    assert (answer.status_code, answer.json()["code"]) == (503, "llm_timeout")
    assert answer.json()["chapter"]["content"] == PIECES[0]


@pytest.mark.parametrize("fault", ["garbage", "cut", "empty"])
def test_an_answer_that_is_no_chapter_saves_nothing(
    api: JsonClient, project: NovelProject, model: Script, fault: str
) -> None:
    if fault == "garbage":
        model.garbage = True
    elif fault == "cut":
        model.break_off_after = 0
    else:
        model.pieces = [" ", "\n"]
    answer = generate(api, project)
    assert answer.status_code == 503, answer.content
    assert {"detail", "code"} <= set(answer.json())
    assert not Chapter.objects.exists()


def test_an_error_in_the_middle_is_an_event(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    model.status = 500
    model.headers = {"x-should-retry": "false"}
    assert [name for name, _ in events(api, project)] == ["error"]
    assert not Chapter.objects.exists()


def test_an_empty_answer_is_an_event_with_its_code(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    model.pieces = [" "]
    (_, (name, error)) = events(api, project)
    assert (name, error["code"]) == ("error", "llm_empty")


def test_a_taken_number_asks_no_model(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    make_chapter(project)
    answer = generate(api, project, chapter_number=1)
    assert answer.status_code == 400
    assert "chapter_number" in answer.json()
    assert model.requests == []


@pytest.mark.parametrize(
    ("body", "field"),
    [({"priority": 11}, "priority"), ({"mode": "x"}, "mode"),
     ({"instructions": "\x00"}, "instructions"),
     ({"instructions": "字" * 20_001}, "instructions"),
     ({"generation_config": []}, "generation_config"),
     ({"chapter_number": 0}, "chapter_number")],
)  # fmt: skip
def test_wrong_fields_ask_no_model(
    api: JsonClient, project: NovelProject, model: Script, body: dict[str, Any], field: str
) -> None:
    answer = generate(api, project, **body)
    assert answer.status_code == 400
    assert field in answer.json()
    assert model.requests == []


def test_what_no_database_can_hold_is_left_out(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    model.pieces = ["夜雨\x00敲", "\ud83d窗。", "\x00"]
    deltas = [event["text"] for name, event in events(api, project) if name == "delta"]
    assert "".join(deltas) == Chapter.objects.get().current.content == "夜雨敲窗。"


def test_basic_mode_holds_for_generation(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    body = generate(api, project, mode="basic").json()
    assert body["analysis"] is None
    assert not PendingAnalysis.objects.exists()


def test_a_deleted_novel_is_an_event(
    api: JsonClient, project: NovelProject, model: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(project_id: uuid.UUID) -> NovelProject:
        raise NovelProject.DoesNotExist

    monkeypatch.setattr(services, "lock_project", gone)
    name, error = events(api, project)[-1]
    assert (name, error["code"]) == ("error", "not_found")
