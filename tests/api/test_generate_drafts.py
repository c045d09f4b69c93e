"""Text that has arrived survives a broken stream, a reader who leaves, a number that is taken."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from pytest_django import Settings

from analysis.models import PendingAnalysis
from arboris.novels import services
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from arboris.workspace.chapters.analysis_options import AnalysisOptions
from arboris.workspace.generation.api import events as events_of
from arboris.workspace.generation.service import Generation
from tests import live
from tests.api.generating import PIECES, events, generate
from tests.factories import JsonClient, make_chapter
from tests.llm_server import Script, serving
from tests.waiting import PATIENCE_SECONDS, wait_for

BROKEN = "".join(PIECES[:9])


def expect_draft(api: JsonClient, chapter: dict[str, Any], text: str) -> None:
    """It is saved, summed up, not analysed, and says why; saving it makes it a chapter like any."""
    assert (chapter["content"], chapter["source"], chapter["analysis"]) == (text, "draft", None)
    assert chapter["analysis_note"] and chapter["summary"]
    assert not PendingAnalysis.objects.exists()
    shown = api.get(f"/api/chapters/{chapter['id']}").json()
    for key in ("content", "source", "analysis", "analysis_note", "summary", "version"):
        assert shown[key] == chapter[key], key
    listed = api.get(f"/api/projects/{chapter['project_id']}/chapters").json()
    assert {row["id"]: row["source"] for row in listed}[chapter["id"]] == "draft"
    saved = api.patch(f"/api/chapters/{chapter['id']}", {"content": text}).json()
    assert (saved["version"], saved["source"]) == (2, "written")
    assert saved["analysis"]["status"] == "pending"
    assert saved["analysis_note"] is None


def test_a_stream_that_breaks_off_leaves_a_draft(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    make_chapter(project)
    model.break_off_after = 9
    *deltas, (name, error) = events(api, project, title="雨夜")
    assert [delta["text"] for _, delta in deltas] == PIECES[:9]
    assert (name, error["code"]) == ("error", "llm_truncated")
    assert (error["chapter"]["chapter_number"], error["chapter"]["title"]) == (2, "雨夜")
    expect_draft(api, error["chapter"], BROKEN)


def test_a_plain_answer_carries_the_draft(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    model.break_off_after = 9
    answer = generate(api, project)
    assert (answer.status_code, answer.json()["code"]) == (503, "llm_truncated")
    expect_draft(api, answer.json()["chapter"], BROKEN)


def test_a_model_that_falls_silent_leaves_a_draft(
    api: JsonClient, project: NovelProject, model: Script, settings: Settings
) -> None:
    settings.ARBORIS_LLM_TIMEOUT = 0.2
    settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT = PATIENCE_SECONDS
    model.pieces, model.hold_after = [BROKEN, *PIECES[9:]], 1  # at once, for which it has time
    (_, error) = events(api, project)[-1]
    model.go_on.set()
    assert error["code"] == "llm_timeout"
    expect_draft(api, error["chapter"], BROKEN)


def test_a_chapter_cut_at_a_limit_is_a_draft(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    model.finish = "length"
    answer = generate(api, project)
    assert answer.json()["code"] == "llm_truncated"
    expect_draft(api, answer.json()["chapter"], "".join(PIECES))


def test_a_draft_changed_by_its_writer_is_analysed(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    model.break_off_after = 9
    draft = generate(api, project).json()["chapter"]
    saved = api.patch(f"/api/chapters/{draft['id']}", {"content": BROKEN + "天亮了。"}).json()
    assert (saved["version"], saved["analysis"]["status"]) == (2, "pending")
    kept = ChapterVersion.objects.filter(chapter_id=draft["id"]).order_by("number")
    assert list(kept.values_list("source", flat=True)) == ["draft", "written"]


def test_a_new_title_leaves_a_draft_a_draft(
    api: JsonClient, project: NovelProject, model: Script
) -> None:
    model.break_off_after = 9
    draft = generate(api, project).json()["chapter"]
    saved = api.patch(f"/api/chapters/{draft['id']}", {"title": "夜"}).json()
    assert (saved["title"], saved["source"], saved["analysis"]) == ("夜", "draft", None)
    assert not PendingAnalysis.objects.exists()


def generation(project: NovelProject, **more: Any) -> Generation:
    return Generation(
        project, AnalysisOptions(), instructions="", title="", **({"number": None} | more)
    )


async def some(answer: AsyncGenerator[bytes, None], count: int) -> None:
    for _ in range(count):
        await anext(answer)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pieces", [0, 1, 15])
def test_a_reader_who_leaves_between_two_events(
    project: NovelProject, model: Script, pieces: int
) -> None:
    async def leave_after() -> None:
        answer = events_of(await sync_to_async(generation)(project))
        await some(answer, pieces)
        await answer.aclose()

    async_to_sync(leave_after)()
    kept = list(ChapterVersion.objects.values_list("content", "source"))
    assert kept == ([("".join(PIECES[:pieces]), "draft")] if pieces else [])
    assert not PendingAnalysis.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_reader_who_leaves_during_the_summary(
    project: NovelProject, model: Script, settings: Settings
) -> None:
    """The chapter is whole: it is saved as such, though the summary keeps everybody waiting."""
    settings.ARBORIS_SUMMARY = "llm"
    settings.ARBORIS_SUMMARY_TIMEOUT = PATIENCE_SECONDS

    async def leave_at_the_end() -> None:
        answer = events_of(await sync_to_async(generation)(project))
        await some(answer, 15)
        model.hold_after = 0  # from now on: the summary
        waiting = asyncio.create_task(anext(answer))
        while len(model.requests) < 2:
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)  # the reader has left before the summary goes on
        model.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    async_to_sync(leave_at_the_end)()
    (version,) = ChapterVersion.objects.all()
    assert (version.content, version.source) == ("".join(PIECES), "generated")
    assert PendingAnalysis.objects.get().version_id == version.pk


@pytest.mark.django_db(transaction=True)
def test_the_draft_becomes_the_chapter(
    project: NovelProject, model: Script, settings: Settings
) -> None:
    settings.ARBORIS_DRAFT_SECONDS = 0
    model.hold_after = 9
    texts: list[str] = []

    async def follow() -> None:
        answer = events_of(await sync_to_async(generation)(project))
        await some(answer, 9)
        while not texts:
            drafts = ChapterVersion.objects.filter(source="draft")
            texts.extend([row.content async for row in drafts])
        model.go_on.set()
        async for _ in answer:
            pass

    async_to_sync(follow)()
    assert texts[0] and BROKEN.startswith(texts[0])
    (version,) = ChapterVersion.objects.all()
    assert (version.content, version.source, version.number) == ("".join(PIECES), "generated", 1)
    chapter = Chapter.objects.get()
    assert chapter.summary and chapter.word_count > 100
    assert PendingAnalysis.objects.get().version_id == version.pk


@pytest.mark.django_db(transaction=True)
def test_a_changed_draft_is_not_overwritten(
    api: JsonClient, project: NovelProject, model: Script, settings: Settings
) -> None:
    settings.ARBORIS_DRAFT_SECONDS = 0

    def interfere() -> None:
        chapter = Chapter.objects.get()
        answer = api.patch(
            f"/api/chapters/{chapter.pk}", {"content": "我自己写。", "mode": "basic"}
        )
        assert answer.status_code == 200

    async def follow() -> None:
        answer = events_of(await sync_to_async(generation)(project, number=1))
        await some(answer, 5)
        while not await Chapter.objects.aexists():
            await anext(answer)
        settings.ARBORIS_DRAFT_SECONDS = 600
        await sync_to_async(interfere)()
        async for _ in answer:
            pass

    async_to_sync(follow)()
    first, second = (chapter.current for chapter in Chapter.objects.order_by("chapter_number"))
    assert (first.content, first.source) == ("我自己写。", "written")
    assert (second.content, second.source) == ("".join(PIECES), "generated")


def take(number: int, project: NovelProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody saves a chapter of that number while the model writes."""
    lock = services.lock_project
    left = [number]

    def lock_late(project_id: Any) -> NovelProject:
        if left:
            make_chapter(project, number=left.pop())
        return lock(project_id)

    monkeypatch.setattr(services, "lock_project", lock_late)


def test_a_number_taken_meanwhile_keeps_the_text(
    api: JsonClient, project: NovelProject, model: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(5, project, monkeypatch)
    answer = generate(api, project, chapter_number=5)
    assert answer.status_code == 201, answer.content
    assert (answer.json()["chapter_number"], answer.json()["content"]) == (6, "".join(PIECES))
    assert "5" in answer.json()["number_note"] and "6" in answer.json()["number_note"]


def test_without_a_number_the_next_is_taken(
    api: JsonClient, project: NovelProject, model: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(1, project, monkeypatch)
    body = generate(api, project).json()
    assert (body["chapter_number"], body["number_note"]) == (2, None)


def test_a_database_failure_is_an_event(
    api: JsonClient, project: NovelProject, model: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(project_id: Any) -> NovelProject:
        raise NovelProject.DoesNotExist

    monkeypatch.setattr(services, "lock_project", gone)
    model.break_off_after = 9
    (_, error) = events(api, project)[-1]
    assert error["code"] == "llm_truncated"
    assert "chapter" not in error


@pytest.mark.django_db(transaction=True)
@pytest.mark.process
def test_a_killed_web_process_loses_little(tmp_path: Path) -> None:
    with serving() as server:
        # Slowly enough for several drafts, and never to its end.
        server.script = Script(pieces=PIECES * 4, pace=0.05, hold_after=len(PIECES * 4) - 1)
        extra = {
            "ARBORIS_LLM_BASE_URL": server.base_url,
            "ARBORIS_LLM_MODEL": "test-model",
            "ARBORIS_DRAFT_SECONDS": "0.1",
        }
        with live.running(tmp_path, extra) as site, site.client() as client:
            project = client.post("/api/projects", json={"title": "夜雨"}).json()["id"]
            url = f"/api/projects/{project}/chapters"
            with client.stream(
                "POST", f"{url}/generate", json={}, headers={"Accept": "text/event-stream"}
            ) as answer:
                lines = answer.iter_lines()
                next(lines)
                chapter = wait_for(lambda: client_rows(site, url), "the draft's first text")
                assert chapter is not None
                web = site.processes["web"]
                os.kill(web.pid, signal.SIGKILL)
                web.wait()
            command = ["-m", "daphne", "-b", "127.0.0.1", "-p", str(site.port)]
            command.append("arboris.asgi:application")
            site.processes["web"] = live.start(command, tmp_path / "web2.log", site.env)
            live.wait_until_ready(site)
            kept = client.get(f"/api/chapters/{chapter['id']}").json()
    assert (kept["source"], kept["analysis"]) == ("draft", None)
    assert kept["content"] and "".join(PIECES * 4).startswith(kept["content"])


def client_rows(site: live.Site, url: str) -> dict[str, Any] | None:
    with site.client() as other:
        rows: list[dict[str, Any]] = other.get(url).json()
        return rows[0] if rows else None
