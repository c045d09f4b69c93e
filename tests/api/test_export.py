"""The novel as a file, over HTTP: every format read back by what is made to read it."""

from __future__ import annotations

import io
import zipfile
from typing import Any
from urllib.parse import quote

import pytest
from defusedxml.ElementTree import fromstring
from django.db import connection
from django.test.utils import CaptureQueriesContext
from docx import Document

from arboris.novels.models import NovelProject, Volume
from arboris.workspace.manuscript import service
from tests.factories import JsonClient, make_chapter

TEXT = (
    "　　沈砚秋**“走！”**说完，*铜铃*响了。\n\n* * *\n\n## 信\n\n"
    "灯下 2 * 3 & <b> \\*不是\\*。\ufffe"
)
DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
def novel(project: NovelProject) -> NovelProject:
    project.synopsis = "一座楼，\n一场雨。"
    project.save()
    make_chapter(project, TEXT, title="第一章 雨夜")
    make_chapter(project, "第二天。", title="")
    make_chapter(project, "尾声到了。", title="尾声")
    return project


def export(api: JsonClient, novel: NovelProject, suffix: str, **query: Any) -> Any:
    return api.get(f"/api/projects/{novel.pk}/export", {"format": suffix, **query})


def exported(api: JsonClient, novel: NovelProject, suffix: str, **query: Any) -> bytes:
    answer = export(api, novel, suffix, **query)
    assert answer.status_code == 200, answer.content
    body = b"".join(answer.streaming_content)
    assert int(answer["Content-Length"]) == len(body)
    return body


def test_markdown_and_text(api: JsonClient, novel: NovelProject) -> None:
    front = "title,writer,synopsis"
    whole = exported(api, novel, "md", front=front, writer="苏白").decode()
    assert whole.startswith(
        "# 听雨楼\n\n苏白\n\n一座楼，\n一场雨。\n\n## 第一章 雨夜\n\n　　沈砚秋**“走"
    )
    assert "\n\n#### 信\n\n" in whole  # below its chapter
    assert whole.endswith("\n\n## 第 2 章\n\n第二天。\n\n## 尾声\n\n尾声到了。\n")
    assert exported(api, novel, "txt", front="none").decode() == (
        "第一章 雨夜\n\n　　沈砚秋“走！”说完，铜铃响了。\n\n* * *\n\n　　信\n\n"
        "　　灯下 2 * 3 & <b> *不是*。\ufffe"
        "\n\n\n第 2 章\n\n　　第二天。\n\n\n尾声\n\n　　尾声到了。\n"
    )


@pytest.mark.sqlite_only
def test_a_long_name_is_no_obstacle(api: JsonClient, novel: NovelProject) -> None:
    novel.owner.first_name, novel.owner.last_name = "名" * 150, "姓" * 150
    novel.owner.save()
    assert exported(api, novel, "docx")


def test_word_reads_the_document(api: JsonClient, novel: NovelProject) -> None:
    answer = export(api, novel, "docx")
    assert answer["Content-Type"] == DOCX_TYPE
    document = Document(io.BytesIO(b"".join(answer.streaming_content)))
    assert document.core_properties.title == "听雨楼"
    assert document.core_properties.author == "writer"
    rows = [(one.style.name if one.style else "", one.text) for one in document.paragraphs]
    assert rows == [
        ("Title", "听雨楼"),
        ("Subtitle", "writer"),
        ("Heading 1", "第一章 雨夜"),
        ("Body Text", "沈砚秋“走！”说完，铜铃响了。"),
        ("Scene Break", "* * *"),
        ("Heading 3", "信"),
        ("Body Text", "灯下 2 * 3 & <b> *不是*。"),
        ("Heading 1", "第 2 章"),
        ("Body Text", "第二天。"),
        ("Heading 1", "尾声"),
        ("Body Text", "尾声到了。"),
    ]
    runs = [(run.text, bool(run.bold), bool(run.italic)) for run in document.paragraphs[3].runs]
    assert [run for run in runs if run[1] or run[2]] == [
        ("“走！”", True, False),
        ("铜铃", False, True),
    ]


def test_an_epub_has_what_the_specification_asks_for(api: JsonClient, novel: NovelProject) -> None:
    data = exported(api, novel, "epub", front="title,writer,synopsis")
    book = zipfile.ZipFile(io.BytesIO(data))
    first = book.infolist()[0]
    assert (first.filename, first.compress_type, first.extra) == ("mimetype", 0, b"")
    assert data[30:58] == b"mimetypeapplication/epub+zip"
    package = book.read("EPUB/package.opf").decode()
    assert f">urn:uuid:{novel.pk}</dc:identifier>" in package
    for element in ("<dc:language>zh-Hans<", "<dc:creator>writer<", "dcterms:modified"):
        assert element in package
    for name in book.namelist():
        if name.endswith((".xhtml", ".opf", ".ncx", ".xml")):
            fromstring(book.read(name))
    nav = fromstring(book.read("EPUB/nav.xhtml"))
    links = list(nav.iter("{http://www.w3.org/1999/xhtml}a"))
    assert [link.text for link in links] == ["第一章 雨夜", "第 2 章", "尾声"]
    chapter = book.read(f"EPUB/{links[0].get('href')}").decode()
    assert (
        "<p>沈砚秋<strong>“走！”</strong>说完，<em>铜铃</em>响了。</p>\n<hr/>\n<h3>信</h3>"
        in chapter
    )


@pytest.mark.parametrize("suffix", ["docx", "epub", "md", "txt"])
def test_the_same_novel_is_the_same_bytes(
    api: JsonClient, novel: NovelProject, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = exported(api, novel, suffix)
    monkeypatch.setattr(service, "BATCH", 1)  # however its texts are fetched
    assert exported(api, novel, suffix) == once


def test_a_selection_by_ids_by_numbers_and_ranges(api: JsonClient, novel: NovelProject) -> None:
    # Ids far from the numbers, so that it is clear which are meant.
    novel.chapters.filter(chapter_number=3).delete()
    ids = list(novel.chapters.values_list("pk", flat=True))
    by_id = exported(api, novel, "md", chapters=str(ids[1]), front="none").decode()
    assert by_id == "## 第 2 章\n\n第二天。\n"
    make_chapter(novel, "新的。", title="新", number=900_000_001)
    make_chapter(novel, "末。", title="末", number=900_000_007)
    some = exported(api, novel, "txt", chapters="900000000-900000005,900000007", front="none")
    assert some.decode() == "新\n\n　　新的。\n\n\n末\n\n　　末。\n"


def test_what_was_typed_since_the_newest_version_is_in_it(
    api: JsonClient, novel: NovelProject
) -> None:
    chapter = novel.chapters.get(chapter_number=3)
    typed = {"content": "尾声改了。", "base_version": 1, "client": "c", "seq": 1}
    assert api.put(f"/api/chapters/{chapter.pk}/working", typed).status_code == 200
    whole = exported(api, novel, "md", chapters=str(chapter.pk), front="none").decode()
    assert whole == "## 尾声\n\n尾声改了。\n"
    typed |= {"title": "终章", "seq": 2}
    assert api.put(f"/api/chapters/{chapter.pk}/working", typed).status_code == 200
    whole = exported(api, novel, "md", chapters=str(chapter.pk), front="none").decode()
    assert whole == "## 终章\n\n尾声改了。\n"


def test_volumes_open_with_their_first_chapter(api: JsonClient, novel: NovelProject) -> None:
    volumes = [
        Volume.objects.create(project=novel, title=title, position=at)
        for at, title in enumerate(("风", "雨"), start=1)
    ]
    for chapter in novel.chapters.all():
        chapter.volume = volumes[chapter.chapter_number > 2]
        chapter.save()
    whole = exported(api, novel, "md", front="none").decode()
    lines = [line for line in whole.split("\n") if line.startswith(("## ", "### "))]
    assert lines == ["## 风", "### 第一章 雨夜", "### 第 2 章", "## 雨", "### 尾声"]
    book = zipfile.ZipFile(io.BytesIO(exported(api, novel, "epub")))
    nav = fromstring(book.read("EPUB/nav.xhtml"))
    items = nav.findall(".//{*}nav/{*}ol/{*}li")
    assert [len(item.findall("./{*}ol/{*}li")) for item in items] == [2, 1]
    for volume in ("2", str(volumes[1].pk)):
        part = exported(api, novel, "md", volume=volume, front="none").decode()
        assert part == "## 尾声\n\n尾声到了。\n"
    assert "volume" in export(api, novel, "md", volume="9").json()


def test_the_file_is_called_as_the_novel(api: JsonClient, novel: NovelProject) -> None:
    novel.title = '听雨/"楼" A\n'
    novel.save()
    answer = export(api, novel, "md")
    answer.close()
    header = answer["Content-Disposition"]
    name = quote("听雨 楼 A.md")
    assert header == f"attachment; filename=\"A.md\"; filename*=UTF-8''{name}"


@pytest.mark.parametrize(
    ("query", "field"),
    [({"format": "pdf"}, "format"), ({"format": ""}, "format"), ({"chapters": "x"}, "chapters"),
     ({"chapters": "987654321"}, "chapters"), ({"front": "cover"}, "front"),
     ({"writer": "x" * 201}, "writer"), ({"writer": "\x01"}, "writer")],
)  # fmt: skip
def test_what_is_asked_wrongly_is_named(
    api: JsonClient, novel: NovelProject, query: dict[str, str], field: str
) -> None:
    answer = api.get(f"/api/projects/{novel.pk}/export", {"format": "md", **query})
    assert answer.status_code == 400, answer.content
    assert field in answer.json()


def test_an_empty_novel_and_somebody_elses(
    api: JsonClient, foreign: JsonClient, anonymous: JsonClient, project: NovelProject
) -> None:
    assert "chapters" in export(api, project, "md").json()
    assert export(foreign, project, "md").status_code == 404
    assert export(anonymous, project, "md").status_code == 401


def test_a_long_novel_is_fetched_a_few_texts_at_a_time(
    api: JsonClient, novel: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        exported(api, novel, "epub")
    texts = [row for row in queries if "novels_chapterversion" in row["sql"]]
    assert len(texts) == 2
