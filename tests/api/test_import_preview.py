"""Importing after a look: what was found, what it corresponds to, and what the writer chose."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from analysis.queue.prune import prune_step
from arboris.db import db_now
from arboris.novels import uploads
from arboris.novels.models import Chapter, ChapterVersion, ImportUpload, NovelProject
from tests.factories import LONG_ENOUGH, JsonClient, make_chapter, make_project

pytestmark = pytest.mark.databases

FILE = (
    f"作者：苏白\n\n第一章 雨夜\n\n{LONG_ENOUGH}新\n\n第2章 铜铃\n\n{LONG_ENOUGH}\n\n"
    "第三章 剑\n\n短。\n"
)


def preview(api: JsonClient, novel: NovelProject, data: bytes, **fields: Any) -> Any:
    body = {"file": SimpleUploadedFile("novel.txt", data), **fields}
    return api.post(f"/api/projects/{novel.pk}/import?preview=1", body, format="multipart")


def agree(api: JsonClient, novel: NovelProject, upload: str, mode: str, **fields: Any) -> Any:
    asked = {"upload": upload, "mode": mode, **fields}
    return api.post(f"/api/projects/{novel.pk}/import", asked)


def texts(novel: NovelProject) -> list[tuple[str, int, str]]:
    return [
        (chapter.title, chapter.version, chapter.current.content[-1])
        for chapter in novel.chapters.order_by("chapter_number")
    ]


@pytest.fixture
def novel(project: NovelProject) -> NovelProject:
    make_chapter(project, f"{LONG_ENOUGH}旧", title="第一章：雨夜")
    make_chapter(project, f"{LONG_ENOUGH}旧", title="第二章 旧名")
    return project


def test_a_preview_saves_nothing(api: JsonClient, novel: NovelProject) -> None:
    answer = preview(api, novel, FILE.encode("gb18030"))
    assert answer.status_code == 200, answer.content
    found = answer.json()
    assert found["encoding"] == "gb18030"
    assert found["set_aside"] == ["作者：苏白"]
    # By the title, by the number in it, not at all.
    rows = [(row["title"], row["matches"] and row["matches"]["title"]) for row in found["chapters"]]
    assert rows == [
        ("第一章 雨夜", "第一章：雨夜"),
        ("第2章 铜铃", "第二章 旧名"),
        ("第三章 剑", None),
    ]
    assert found["chapters"][2]["length"] == 2
    assert ChapterVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("add", [("第一章：雨夜", 1, "旧"), ("第二章 旧名", 1, "旧"), ("第一章 雨夜", 1, "新"),
              ("第2章 铜铃", 1, "。"), ("第三章 剑", 1, "。")]),
     ("replace", [("第一章 雨夜", 2, "新"), ("第2章 铜铃", 2, "。"), ("第三章 剑", 1, "。")]),
     ("skip", [("第一章：雨夜", 1, "旧"), ("第二章 旧名", 1, "旧"), ("第三章 剑", 1, "。")])],
)  # fmt: skip
def test_the_writer_chooses_and_a_second_try_doubles_nothing(
    api: JsonClient, novel: NovelProject, mode: str, expected: list[tuple[str, int, str]]
) -> None:
    upload = preview(api, novel, FILE.encode()).json()["upload"]
    answer = agree(api, novel, upload, mode, priority=9)
    assert answer.status_code == 201, answer.content
    assert texts(novel) == expected
    analysed = [row for row in answer.json()["chapters"] if row["analysis"]]
    assert len(analysed) == {"add": 2, "replace": 2, "skip": 0}[mode]
    assert {row["analysis"]["priority"] for row in analysed} <= {9}
    again = agree(api, novel, upload, mode)
    assert (again.status_code, again.json()["code"]) == (409, "already_imported")
    assert texts(novel) == expected


def test_an_encoding_that_the_writer_knows(api: JsonClient, novel: NovelProject) -> None:
    data = ("他這個人總是在下雨的時候來，說是為了看雨。" * 20).encode("big5")
    assert preview(api, novel, data).json()["encoding"] == "big5"
    assert "file" in preview(api, novel, data, encoding="utf-8").json()
    found = preview(api, novel, data, encoding="big5").json()
    assert found["encoding"] == "big5"
    assert agree(api, novel, found["upload"], "add").status_code == 201
    assert Chapter.objects.get(chapter_number=3).current.content.startswith("他這個人")
    assert "encoding" in preview(api, novel, data, encoding="x").json()


def test_uploads_are_few_and_go_by_themselves(
    api: JsonClient, foreign: JsonClient, novel: NovelProject
) -> None:
    first = preview(api, novel, FILE.encode()).json()["upload"]
    for _each in range(uploads.PER_WRITER):
        last = preview(api, novel, FILE.encode()).json()["upload"]
    assert ImportUpload.objects.count() == uploads.PER_WRITER
    other = make_project(novel.owner)
    for target, upload in ((novel, first), (other, last), (novel, str(novel.pk))):
        answer = agree(api, target, upload, "add")
        assert answer.status_code == 400
        assert "upload" in answer.json()
    assert agree(foreign, novel, last, "add").status_code == 404
    ImportUpload.objects.update(created_at=db_now() - uploads.KEPT - timedelta(seconds=1))
    assert "upload" in agree(api, novel, last, "add").json()
    prune_step(db_now())
    assert not ImportUpload.objects.exists()
    assert Chapter.objects.count() == 2


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"mode": "x"}, "mode"), ({"mode": "enhanced"}, "mode"), ({}, "mode"),
     ({"mode": "add", "upload": "x"}, "upload"), ({"mode": "add", "priority": 11}, "priority"),
     ({"mode": "add", "analysis": "x"}, "analysis")],
)  # fmt: skip
@pytest.mark.sqlite_only
def test_wrong_wishes_are_named(
    api: JsonClient, novel: NovelProject, asked: dict[str, Any], field: str
) -> None:
    upload = preview(api, novel, FILE.encode()).json()["upload"]
    answer = api.post(f"/api/projects/{novel.pk}/import", {"upload": upload, **asked})
    assert answer.status_code == 400
    assert field in answer.json()
    assert Chapter.objects.count() == 2
