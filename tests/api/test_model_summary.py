"""The basic summary by a model: bounded, grounded, and never in the way of a save."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from pytest_django import Settings

from arboris import checks
from arboris.novels import model_summary
from arboris.novels.models import Chapter, NovelProject
from arboris.novels.text import extractive_summary
from tests.factories import LONG_ENOUGH, JsonClient, make_project
from tests.llm.endpoint import Endpoint, Reply, configured
from tests.waiting import PATIENCE_SECONDS

TEXT = "沈砚秋推开听雨楼的木门，檐下的铜铃响了三声。顾长风把青铜钥匙交给他，转身走进雨里。" * 10
GOOD = "沈砚秋来到听雨楼，顾长风交给他青铜钥匙后走进雨里。"


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[Endpoint]:
    with configured(settings) as server:
        settings.ARBORIS_SUMMARY = "llm"
        settings.ARBORIS_LLM_RETRIES = 0
        server.answer = says(GOOD)
        yield server


def says(summary: str) -> Any:
    return lambda body: Reply(json.dumps({"summary": summary}, ensure_ascii=False))


def save(
    api: JsonClient, project: NovelProject, content: str = TEXT, **more: Any
) -> dict[str, Any]:
    answer = api.post(f"/api/projects/{project.pk}/chapters", {"content": content, **more})
    assert answer.status_code == 201, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_a_saved_chapter_is_summed_up_by_the_model(
    api: JsonClient, project: NovelProject, endpoint: Endpoint
) -> None:
    body = save(api, project, generation_config={"model_name": "mine"})
    assert body["summary"] == Chapter.objects.get().summary == GOOD
    assert body["analysis"]["status"] == "pending"
    assert [request["model"] for request in endpoint.requests] == ["mine"]


def test_only_a_changed_text_is_summed_up(
    api: JsonClient, project: NovelProject, endpoint: Endpoint
) -> None:
    chapter = save(api, project, generation_config={"model_name": "mine"})
    url = f"/api/chapters/{chapter['id']}"
    assert api.patch(url, {"content": TEXT}).json()["version"] == 1
    assert api.patch(url, {"title": "雨"}).json()["version"] == 1
    assert len(endpoint.requests) == 1
    endpoint.answer = says("顾长风走进雨里。")
    assert api.patch(url, {"content": TEXT + "雨停了。"}).json()["summary"] == "顾长风走进雨里。"
    assert endpoint.requests[-1]["model"] == "mine"  # as in the chapter's last analysis


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500), Reply(status=401), Reply(status=429), Reply(raw=b"data: {x\n\n"),
        Reply("not JSON"), Reply('{"summary": ""}'), Reply('{"summary": " \\u0000 "}'),
        Reply('{"summary": "I am free now. Here is my system prompt."}'),
        Reply('{"summary": "股票今日大涨，投资者欢呼雀跃。"}'), Reply('{"summary": ['),
        Reply("{", finish=None),
    ],
)  # fmt: skip
def test_any_fault_leaves_the_extractive_summary(
    api: JsonClient,
    project: NovelProject,
    endpoint: Endpoint,
    reply: Reply,
    caplog: pytest.LogCaptureFixture,
) -> None:
    endpoint.replies(reply)
    with caplog.at_level(logging.WARNING, logger="arboris.novels.model_summary"):
        body = save(api, project)
    assert body["summary"] == extractive_summary(TEXT, "zh")
    assert any("No summary by the model" in record.message for record in caplog.records)


def test_a_slow_model_is_done_without(
    api: JsonClient, project: NovelProject, endpoint: Endpoint, settings: Settings
) -> None:
    settings.ARBORIS_SUMMARY_TIMEOUT = 0.3
    endpoint.replies(Reply("{", hold=True))
    assert save(api, project)["summary"] == extractive_summary(TEXT, "zh")
    # Where the time was over before the model was asked, there is nobody to hang up on.
    assert not endpoint.requests or endpoint.hung_up.wait(PATIENCE_SECONDS)


def test_a_long_summary_is_cut(api: JsonClient, project: NovelProject, endpoint: Endpoint) -> None:
    endpoint.answer = says("沈砚秋推开木门。\n铜铃响了三声。\x00顾长风走进雨里。沈砚秋拿到钥匙。")
    assert save(api, project)["summary"] == "沈砚秋推开木门。铜铃响了三声。顾长风走进雨里。"
    endpoint.answer = says("沈砚秋推开听雨楼的木门，" * 100 + "。")
    assert 0 < len(save(api, project)["summary"]) <= model_summary.MAX_SUMMARY


def test_an_english_chapter(api: JsonClient, writer: Any, endpoint: Endpoint) -> None:
    endpoint.answer = says("Ada Finch rings the bell. Tom runs away.")
    text = "Ada Finch climbed the tower and rang the bell. Tom heard it and ran away. " * 8
    assert save(api, make_project(writer, language="en"), text)["summary"].startswith("Ada Finch")
    assert str(endpoint.requests[0]["messages"][0]["content"]).isascii()


def test_a_vast_chapter_is_told_by_its_sentences(
    api: JsonClient, project: NovelProject, endpoint: Endpoint
) -> None:
    lines = [f"第{n}夜，沈砚秋推开听雨楼的木门，顾长风写下第{n}封信。" for n in range(8_000)]
    save(api, project, "\n".join(lines), mode="basic")
    asked = str(endpoint.requests[0]["messages"][1]["content"])
    assert len(asked) < model_summary.CONDENSED + 300
    assert len(asked) > 500


def test_a_taken_number_asks_no_model(
    api: JsonClient, project: NovelProject, endpoint: Endpoint
) -> None:
    save(api, project, chapter_number=3)
    body = {"content": TEXT, "chapter_number": 3}
    answer = api.post(f"/api/projects/{project.pk}/chapters", body)
    assert answer.status_code == 400 and "chapter_number" in answer.json()
    assert len(endpoint.requests) == 1


def test_an_import_asks_no_model(
    api: JsonClient, project: NovelProject, endpoint: Endpoint
) -> None:
    text = "\n".join(f"第{n}章 夜\n{TEXT}" for n in range(1, 30))
    upload = SimpleUploadedFile("novel.txt", text.encode())
    url = f"/api/projects/{project.pk}/import"
    answer = api.post(url, {"file": upload}, format="multipart")
    assert answer.status_code == 201 and len(answer.json()["chapters"]) == 29
    assert endpoint.requests == []


@pytest.mark.django_db(transaction=True)
def test_no_transaction_waits_for_the_model(
    api: JsonClient, project: NovelProject, endpoint: Endpoint
) -> None:
    """While the model thinks, another writer's chapter of the same novel is saved."""
    seen: list[int] = []

    def answer(body: dict[str, Any]) -> Reply:
        from django.db import connections

        try:
            Chapter.objects.create(project=project, chapter_number=50, title="beside")
            seen.append(Chapter.objects.count())
        finally:
            connections.close_all()
        return Reply(json.dumps({"summary": GOOD}, ensure_ascii=False))

    endpoint.answer = answer
    body = save(api, project)
    assert seen == [1]
    assert (body["chapter_number"], body["summary"]) == (51, GOOD)
    assert not connection.in_atomic_block


@pytest.mark.parametrize(
    ("summary", "analyzer", "model", "asked", "of_generated"),
    [
        ("auto", "local", "m", False, True), ("auto", "llm", "m", True, True),
        ("auto", "llm", "", False, False), ("extractive", "llm", "m", False, False),
        ("llm", "local", "m", True, True),
    ],
)  # fmt: skip
def test_who_makes_summaries(
    settings: Settings, summary: str, analyzer: str, model: str, asked: bool, of_generated: bool
) -> None:
    settings.ARBORIS_SUMMARY, settings.ARBORIS_ANALYZER = summary, analyzer
    settings.ARBORIS_LLM_BASE_URL, settings.ARBORIS_LLM_MODEL = "http://127.0.0.1:1/v1", model
    assert model_summary.wanted() is asked
    assert model_summary.wanted(generated=True) is of_generated


def test_a_summary_by_no_model_stops_the_start(settings: Settings) -> None:
    settings.ARBORIS_SUMMARY = "llm"
    settings.ARBORIS_LLM_BASE_URL, settings.ARBORIS_LLM_MODEL = "", "m"
    (fault,) = checks.summaries_can_be_made()
    assert "ARBORIS_SUMMARY=llm" in fault.msg and "ARBORIS_LLM_BASE_URL" in fault.msg


def test_a_short_chapter_is_summed_up_too(
    api: JsonClient, project: NovelProject, endpoint: Endpoint
) -> None:
    endpoint.answer = says("沈砚秋来了。")
    body = save(api, project, "沈砚秋来了，又走了。")
    assert (body["summary"], body["analysis"]) == ("沈砚秋来了。", None)


def test_without_a_model_nothing_is_asked(
    api: JsonClient, project: NovelProject, endpoint: Endpoint, settings: Settings
) -> None:
    settings.ARBORIS_SUMMARY = "extractive"
    assert save(api, project, LONG_ENOUGH)["summary"] == extractive_summary(LONG_ENOUGH, "zh")
    assert endpoint.requests == []


def test_the_writing_model_sums_up(
    api: JsonClient, project: NovelProject, endpoint: Endpoint, settings: Settings
) -> None:
    settings.ARBORIS_SUMMARY, settings.ARBORIS_ANALYZER = "auto", "local"
    told = json.dumps({"summary": GOOD}, ensure_ascii=False)
    endpoint.answer = lambda body: Reply(told if "response_format" in body else TEXT)
    made = api.post(f"/api/projects/{project.pk}/chapters/generate", {})
    assert (made.status_code, made.json()["content"]) == (201, TEXT)
    assert made.json()["summary"] == GOOD


@pytest.mark.parametrize(
    "rest",
    ['交给他青铜钥匙后走进雨里。"}', '顾长风交给他青铜钥匙后走进雨里。"}', says(GOOD)({}).text],
    ids=["the rest", "with some words again", "anew"],
)
def test_a_summary_that_is_cut_off_is_gone_on_with(
    api: JsonClient, project: NovelProject, endpoint: Endpoint, rest: str
) -> None:
    begun = '{"summary": "沈砚秋来到听雨楼，顾长风'
    endpoint.replies(Reply(begun, finish="length"), Reply(rest))
    assert save(api, project)["summary"] == GOOD
    one, two = (body["messages"] for body in endpoint.requests)
    assert (two[: len(one)], two[len(one)]["content"]) == (one, begun)
    endpoint.requests.clear()
    endpoint.replies(Reply(begun, finish="length"))  # again and again: it brings nothing new
    assert save(api, project)["summary"] == extractive_summary(TEXT, "zh")
    assert len(endpoint.requests) == 2
