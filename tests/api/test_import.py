"""Importing a file: every chapter found is saved and enqueued, or nothing is."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django_q.models import OrmQ
from pytest_django import Settings

from analysis.models import PendingAnalysis
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from tests.factories import LONG_ENOUGH, JsonClient, make_chapter

pytestmark = pytest.mark.databases

NOVEL = "".join(
    f"第{n}章 {t}\n\n{LONG_ENOUGH}\n\n" for n, t in zip("一二三", "雨风雪", strict=True)
)


def upload(
    api: JsonClient, project: NovelProject, content: bytes, name: str = "novel.txt", **fields: Any
) -> Any:
    body = {"file": SimpleUploadedFile(name, content), **fields}
    return api.post(f"/api/projects/{project.pk}/import", body, format="multipart")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_every_chapter_is_saved_and_enqueued(
    api: JsonClient, project: NovelProject, encoding: str
) -> None:
    answer = upload(api, project, NOVEL.encode(encoding))
    assert answer.status_code == 201, answer.content
    found = answer.json()["chapters"]
    assert [row["chapter_number"] for row in found] == [1, 2, 3]
    assert all(row["analysis"]["status"] == "pending" for row in found)
    assert {row["analysis"]["id"] for row in found} == set(
        PendingAnalysis.objects.values_list("pk", flat=True)
    )
    assert "雨" in found[0]["title"]
    assert ChapterVersion.objects.filter(content__contains=LONG_ENOUGH).count() == 3


def test_imported_chapters_are_appended(api: JsonClient, project: NovelProject) -> None:
    make_chapter(project)
    found = upload(api, project, NOVEL.encode()).json()["chapters"]
    assert [row["chapter_number"] for row in found] == [2, 3, 4]


def test_options_hold_for_every_chapter(api: JsonClient, project: NovelProject) -> None:
    answer = upload(api, project, NOVEL.encode(), priority="9", generation_config='{"own": 1}')
    assert answer.status_code == 201, answer.content
    tasks = PendingAnalysis.objects.values_list("priority", "generation_config")
    assert list(tasks) == [(9, {"own": 1})] * 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("novel.pdf", NOVEL.encode()),
        ("novel.txt", b""),
        ("novel.txt", b" \n \n"),
        ("novel.txt", b"\x00\x01\x02\x03" * 200),
        ("novel.epub", b"not a zip at all"),
        ("novel.epub", b"PK\x03\x04" + b"\x00" * 100),
        ("novel", NOVEL.encode()),
    ],
)
def test_a_bad_file_is_refused_whole(
    api: JsonClient, project: NovelProject, name: str, content: bytes
) -> None:
    answer = upload(api, project, content, name)
    assert answer.status_code == 400, answer.content
    assert "file" in answer.json()
    assert answer.json()["code"] == "invalid"
    assert not Chapter.objects.exists()
    assert not PendingAnalysis.objects.exists()
    assert not OrmQ.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"priority": "11"}, "priority"),
     ({"generation_config": '{"temperature": 3}'}, "generation_config"),
     ({"generation_config": "no json"}, "generation_config"), ({"mode": "x"}, "mode")],
)  # fmt: skip
def test_wrong_wishes_are_named(
    api: JsonClient, project: NovelProject, fields: dict[str, str], field: str
) -> None:
    answer = upload(api, project, NOVEL.encode(), **fields)
    assert answer.status_code == 400
    assert field in answer.json()
    assert not Chapter.objects.exists()


def test_no_file_is_named(api: JsonClient, project: NovelProject) -> None:
    answer = api.post(f"/api/projects/{project.pk}/import", {}, format="multipart")
    assert answer.status_code == 400
    assert "file" in answer.json()


def test_a_text_instead_of_a_file_is_named(api: JsonClient, project: NovelProject) -> None:
    answer = api.post(f"/api/projects/{project.pk}/import", {"file": "x"}, format="multipart")
    assert answer.status_code == 400
    assert "file" in answer.json()


def test_json_that_names_no_upload_needs_a_file(api: JsonClient, project: NovelProject) -> None:
    answer = api.post(f"/api/projects/{project.pk}/import", {"file": "x"})
    assert answer.status_code == 400
    assert "file" in answer.json()


def test_a_file_over_the_limit_is_413(
    api: JsonClient, project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_MAX_IMPORT_BYTES = 1_000
    answer = upload(api, project, NOVEL.encode())
    assert answer.status_code == 413
    size = len(NOVEL.encode())
    detail = answer.json()["detail"]
    assert detail.startswith("file: ")
    assert detail.count(str(size)) == detail.count("1000") == 1
    assert ">" not in detail
    assert not Chapter.objects.exists()


def test_a_chapter_that_is_too_long_is_refused(
    api: JsonClient, project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_MAX_CHAPTER_CHARS = 1_000
    answer = upload(api, project, ("第一章 长\n\n" + "字" * 5_000).encode())
    assert answer.status_code == 400
    assert "file" in answer.json()
    assert not Chapter.objects.exists()


@pytest.mark.sqlite_only
def test_quirks_of_a_file_over_http(api: JsonClient, project: NovelProject) -> None:
    broken = NOVEL.encode().replace("风".encode(), b"\xff", 1)
    answer = upload(api, project, broken, name="NAME.TXT ", mode="basic")
    assert answer.status_code == 201, answer.content
    assert answer.json()["title"] == "NAME"
    assert len(answer.json()["chapters"]) == 3
    assert len(answer.json()["set_aside"]) == 1
    picture = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256))
    answer = upload(api, project, picture)
    assert answer.status_code == 400
    assert "file" in answer.json()
    assert Chapter.objects.count() == 3
