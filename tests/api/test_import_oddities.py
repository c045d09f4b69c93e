"""Books as other programs write them: what becomes a chapter, and what it says."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from docx import Document

from arboris.novels.models import NovelProject
from tests.factories import JsonClient
from tests.novels import epubs

pytestmark = pytest.mark.sqlite_only

RAIN = "雨下了一夜，船上没有人。他把信折好，又展开，看了很久。"
BOAT = "渡口的木桩上拴着一条旧船，缆绳磨得发白。"
Told = list[tuple[str, str]]


def told(api: JsonClient, project: NovelProject, name: str, data: bytes) -> tuple[Told, list[str]]:
    """Titles and texts of the chapters, and what was set aside."""
    body: dict[str, Any] = {"file": SimpleUploadedFile(name, data), "mode": "basic"}
    answer = api.post(f"/api/projects/{project.pk}/import", body, format="multipart")
    assert answer.status_code == 201, answer.content
    chapters = project.chapters.order_by("chapter_number")
    return [(one.title, one.current.content) for one in chapters], answer.json()["set_aside"]


def paragraph(text: str) -> str:
    return f"<p>{text}</p>"


def page(*parts: str) -> str:
    return epubs.page("".join(part if part.startswith("<") else paragraph(part) for part in parts))


def packed(files: dict[str, bytes], flags: int | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return out.getvalue()


NESTED = (
    '<li><a href="p.xhtml">第一部</a><ol>'
    '<li><a href="a.xhtml">归航</a><ol><li><a href="a.xhtml#s1">信</a></li>'
    '<li><a href="a.xhtml#s2">船</a></li></ol></li>'
    '<li><a href="b.xhtml">旧灯</a><ol><li><a href="b.xhtml#s1">灯</a></li></ol></li></ol></li>'
)
BOOKS: dict[str, tuple[bytes, Told]] = {
    "contents with the scenes of a chapter": (
        epubs.book(
            {
                "p.xhtml": page("<h1>第一部</h1>"),
                "a.xhtml": page(
                    "<h2>归航</h2>", BOAT, '<h3 id="s1">信</h3>', RAIN, '<h3 id="s2">船</h3>', BOAT
                ),
                "b.xhtml": page("<h2>旧灯</h2>", RAIN, '<h3 id="s1">灯</h3>', BOAT),
            },
            nav_items=NESTED,
        ),
        [
            ("第一部 归航", f"{BOAT}\n\n信\n\n{RAIN}\n\n船\n\n{BOAT}"),
            ("旧灯", f"{RAIN}\n\n灯\n\n{BOAT}"),
        ],
    ),
    "headings by the class of a paragraph": (
        epubs.book(
            {
                "a.xhtml": page('<p class="chapter-title">归航</p>', RAIN, BOAT),
                "b.xhtml": page('<div class="ChapterTitle">旧灯</div>', BOAT),
            }
        ),
        [("归航", f"{RAIN}\n\n{BOAT}"), ("旧灯", BOAT)],
    ),
    "a heading that is a picture": (
        epubs.book(
            {
                "a.xhtml": page('<h1><img src="1.png" alt="第一章 归航"/></h1>', RAIN),
                "b.xhtml": page('<h1><img src="2.png" alt="第二章 旧灯"/></h1>', BOAT),
            }
        ),
        [("第一章 归航", RAIN), ("第二章 旧灯", BOAT)],
    ),
    "pages of pictures": (
        epubs.book(
            {
                "c.xhtml": page('<div><img src="c.jpg" alt="cover"/></div>'),
                "a.xhtml": page("<h1>第一章</h1>", RAIN),
                "i.xhtml": page('<svg><image href="x.png"/></svg>'),
                "b.xhtml": page("<h1>第二章</h1>", BOAT),
            }
        ),
        [("第一章", RAIN), ("第二章", BOAT)],
    ),
    "readings above characters": (
        epubs.book(
            {
                "a.xhtml": page(
                    "<h1>第一章</h1>",
                    "<p>古い<ruby>舟<rp>(</rp><rt>ふね</rt><rp>)</rp></ruby>と<ruby><rb>杭</rb><rt>くい</rt></ruby>だ。</p>",
                ),
                "b.xhtml": page("<h1>第二章</h1>", BOAT),
            }
        ),
        [("第一章", "古い舟と杭だ。"), ("第二章", BOAT)],
    ),
    "line breaks for paragraphs": (
        epubs.book(
            {
                "a.xhtml": page(
                    "<h1>第一章</h1>", f"<div>　　{RAIN}<br/><br/>　　{BOAT}<br/>“走！”</div>"
                ),
                "b.xhtml": page("<h1>第二章</h1>", BOAT),
            }
        ),
        [("第一章", f"　　{RAIN}\n　　{BOAT}\n“走！”"), ("第二章", BOAT)],
    ),
    "large first letters": (
        epubs.book(
            {
                "a.xhtml": page(
                    "<h1>One</h1>", '<p><span class="dropcap">T</span>he boat lay still.</p>'
                ),
                "b.xhtml": page(
                    "<h1>Two</h1>",
                    '<p><img class="drop" src="t.png" alt="T"/>he boat lay still.</p>',
                ),
                "c.xhtml": page(
                    "<h1>Three</h1>", '<div class="dropcap">T</div><p>he boat lay still.</p>'
                ),
                "d.xhtml": page(
                    "<h1>Four</h1>",
                    "<p>A boat.</p>",
                    '<p><img src="map.png" alt="A map of the river"/></p>',
                ),
            }
        ),
        [
            ("One", "The boat lay still."),
            ("Two", "The boat lay still."),
            ("Three", "The boat lay still."),
            ("Four", "A boat."),
        ],
    ),
    "invisible characters": (
        epubs.book(
            {
                "a.xhtml": page(
                    "<h1>One&#xAD;s</h1>",
                    "<p>The fer&shy;ry&#x200B;man\u2060 said no\ufeffthing.</p>",
                ),
                "b.xhtml": page("<h1>Two</h1>", "<p>Rain.</p>"),
            }
        ),
        [("Ones", "The ferryman said nothing."), ("Two", "Rain.")],
    ),
    "notes that pop up": (
        epubs.book(
            {
                "a.xhtml": page(
                    "<h1>第一章</h1>",
                    '<p>林渡<a epub:type="noteref" href="#n1"><img alt="注"/></a>走了。</p>',
                    '<aside epub:type="footnote" id="n1"><p>一个船工。</p></aside>',
                ),
                "b.xhtml": page("<h1>第二章</h1>", BOAT),
            }
        ),
        [("第一章", "林渡走了。"), ("第二章", BOAT)],
    ),
    "a title page for each chapter": (
        epubs.book(
            {
                "t1.xhtml": page("<h1>第一章</h1>", "<h2>归航</h2>"),
                "a.xhtml": page(RAIN),
                "t2.xhtml": page("<h1>第二章</h1>", "<h2>旧灯</h2>"),
                "b.xhtml": page(BOAT),
            },
            nav_items='<li><a href="t1.xhtml">第一章 归航</a></li>'
            '<li><a href="t2.xhtml">第二章 旧灯</a></li>',
        ),
        [("第一章 归航", RAIN), ("第二章 旧灯", BOAT)],
    ),
    "the publisher's page": (
        epubs.book(
            {
                "c.xhtml": page(
                    "The River",
                    "Copyright © 2020 by Jane Roe",
                    "All rights reserved. ISBN 978-3-16-148410-0",
                    "No part of this book may be copied. " * 12,
                ),
                "a.xhtml": page("<h1>Chapter 1</h1>", "Rain fell all night."),
                "b.xhtml": page("<h1>Chapter 2</h1>", "The boat was gone."),
            }
        ),
        [("Chapter 1", "Rain fell all night."), ("Chapter 2", "The boat was gone.")],
    ),
}


@pytest.mark.parametrize("kind", BOOKS)
def test_books_as_others_make_them(api: JsonClient, project: NovelProject, kind: str) -> None:
    data, chapters = BOOKS[kind]
    assert told(api, project, "book.epub", data)[0] == chapters


@pytest.mark.parametrize("codec", ["gb18030", "cp932", "utf-8"])
def test_names_in_an_archive_without_their_encoding(
    api: JsonClient, project: NovelProject, codec: str
) -> None:
    name = "第一章.xhtml" if codec != "cp932" else "第一話.xhtml"
    data = epubs.book(
        {"XX": page("<h1>第一章</h1>", RAIN), "b.xhtml": page("<h1>第二章</h1>", BOAT)}
    )
    files = {}
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        for entry in source.namelist():
            files[entry] = source.read(entry).replace(b'href="XX"', f'href="{name}"'.encode())
    old = name.encode(codec)
    files["OEBPS/" + "x" * len(old)] = files.pop("OEBPS/XX")
    raw = packed(files).replace(b"OEBPS/" + b"x" * len(old), b"OEBPS/" + old)
    assert told(api, project, "book.epub", raw)[0] == [("第一章", RAIN), ("第二章", BOAT)]


FB2 = """<?xml version="1.0" encoding="utf-8"?><FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0">
<description><title-info><book-title>The River</book-title></title-info></description><body>
<section><title><p>Part One</p></title>
<section><title><p>Chapter 1</p></title><p>He&nbsp;went up &amp; down.</p>
<subtitle>* * *</subtitle><p>Rain.</p>
<section><title><p>A letter</p></title><p>Dear Esther,</p></section></section>
<section><title><p>Chapter 2</p></title><p>Down.</p></section></section></body></FictionBook>"""


@pytest.mark.parametrize("name", ["river.fb2", "river.fb2.zip", "river.zip"])
def test_fiction_book(api: JsonClient, project: NovelProject, name: str) -> None:
    data = packed({"river.fb2": FB2.encode()}) if name.endswith("zip") else FB2.encode()
    chapters, _aside = told(api, project, name, data)
    assert [title for title, _text in chapters] == ["Part One Chapter 1", "Chapter 2"]
    assert chapters[0][1].startswith("He went up & down.\n\n***\n\nRain.")
    assert "Dear Esther," in chapters[0][1]


def test_a_zip_of_texts(api: JsonClient, project: NovelProject) -> None:
    data = packed(
        {
            f"书/{n} {t}.txt": text.encode("gb18030")
            for n, t, text in ((2, "旧灯", BOAT), (10, "夜渡", RAIN), (1, "归航", RAIN))
        }
        | {"书/说明.pdf": b"%PDF-"}
    )
    chapters, aside = told(api, project, "书.zip", data)
    assert chapters == [("1 归航", RAIN), ("2 旧灯", BOAT), ("10 夜渡", RAIN)]
    assert aside == ["书/说明.pdf"]


def saved(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def word(body: str) -> bytes:
    """A document of Word whose body is ``body``."""
    source = saved(Document())
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            if entry == "word/document.xml":
                data = (
                    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
                    ' xmlns:wps="urn:x" xmlns:mc="urn:y">'
                    f"<w:body>{body}</w:body></w:document>"
                ).encode()
            new.writestr(entry, data)
    return out.getvalue()


def run(text: str, look: str = "") -> str:
    return f"<w:r><w:rPr>{look}</w:rPr><w:t>{text}</w:t></w:r>"


def row(*runs: str, look: str = "") -> str:
    return f"<w:p><w:pPr>{look}</w:pPr>{''.join(runs)}</w:p>"


HEAD = '<w:pStyle w:val="Heading1"/>'
TEXTS = [row(run(RAIN)), row(run(BOAT)), row(run("“走！”"))] * 5
WORD: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "bold paragraphs": (
        "".join(
            part
            for name in ("归航", "旧灯", "夜渡", "听雨")
            for part in [row(run(name, "<w:b/>"), look='<w:jc w:val="center"/>'), *TEXTS]
        ),
        [("归航", RAIN), ("旧灯", RAIN), ("夜渡", RAIN), ("听雨", RAIN)],
    ),
    "bold numbers": (
        "".join(
            part
            for name in ("第一章 归航", "第二章 旧灯")
            for part in [row(run(name, "<w:b/>")), *TEXTS]
        ),
        [("第一章 归航", RAIN), ("第二章 旧灯", RAIN)],
    ),
    "contents with links": (
        "".join(
            row(
                f'<w:hyperlink w:anchor="_Toc{n}">{run(name)}<w:r><w:tab/></w:r>'
                f"{run('3')}</w:hyperlink>"
            )
            for n, name in enumerate(("第一章 归航", "第二章 旧灯"))
        )
        + "".join(
            part
            for name in ("第一章 归航", "第二章 旧灯")
            for part in [row(run(name), look=HEAD), *TEXTS]
        ),
        [("第一章 归航", RAIN), ("第二章 旧灯", RAIN)],
    ),
    "changes, comments and fields": (
        row(run("第一章"), look=HEAD)
        + row(
            run("雨"),
            "<w:ins>" + run("停") + "</w:ins>",
            "<w:del><w:r><w:delText>大</w:delText></w:r></w:del>",
            "<w:commentRangeStart/>",
            run("了。"),
            '<w:r><w:commentReference w:id="0"/></w:r>',
            "<w:r><w:instrText>PAGE</w:instrText></w:r>",
            run("隐", "<w:vanish/>"),
        )
        + row(run("第二章"), look=HEAD)
        + row(run(BOAT)),
        [("第一章", "雨停了。"), ("第二章", BOAT)],
    ),
    "a text box and readings": (
        row(run("第一章"), look=HEAD)
        + row(
            run("舟。"),
            f"<w:r><mc:AlternateContent><mc:Choice><wps:txbx><w:txbxContent>{row(run('匾上写着渡。'))}</w:txbxContent></wps:txbx></mc:Choice><mc:Fallback><w:pict>{row(run('匾上写着渡。'))}</w:pict></mc:Fallback></mc:AlternateContent></w:r>",
        )
        + row(
            f"<w:r><w:ruby><w:rt>{run('くい')}</w:rt><w:rubyBase>{run('杭')}</w:rubyBase></w:ruby></w:r>",
            run("だ。"),
        )
        + row(run("第二章"), look=HEAD)
        + row(run(BOAT)),
        [("第一章", "匾上写着渡。\n\n舟。\n\n杭だ。"), ("第二章", BOAT)],
    ),
}


@pytest.mark.parametrize("kind", WORD)
def test_documents_of_word(api: JsonClient, project: NovelProject, kind: str) -> None:
    body, chapters = WORD[kind]
    found, _aside = told(api, project, "book.docx", word(body))
    assert [title for title, _text in found] == [title for title, _text in chapters]
    for (_title, text), (_same, start) in zip(found, chapters, strict=True):
        assert text == start or (len(text) > 200 and text.startswith(start))


def test_a_style_that_is_based_on_a_heading(api: JsonClient, project: NovelProject) -> None:
    document = Document()
    style = document.styles.add_style("我的章名", 1)
    style.base_style = document.styles["Heading 1"]
    for name, text in (("归航", RAIN), ("旧灯", BOAT)):
        document.add_paragraph(name, style="我的章名")
        document.add_paragraph(text)
    assert told(api, project, "book.docx", saved(document))[0] == [("归航", RAIN), ("旧灯", BOAT)]


HTML = f"""<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta charset=gb2312>
<title>渡口</title><style>p.MsoNormal {{margin:0}}</style></head><body lang=ZH-CN>
<nav><a href="/">首页</a></nav><h1>第一章 归航</h1><p class=MsoNormal>{RAIN}<o:p></o:p></p>
<![if !supportEmptyParas]><p class=MsoNormal>&nbsp;<o:p></o:p></p><![endif]>
<p class=MsoNormal>{BOAT}</p><noscript>请打开脚本</noscript><button>下一章</button>
<h1>第二章 旧灯</h1><p class=MsoNormal>{BOAT}</p><select><option>大号</option></select>
</body></html>"""


def test_a_page_that_word_saved(api: JsonClient, project: NovelProject) -> None:
    chapters, _aside = told(api, project, "渡口.htm", HTML.encode("gb18030"))
    assert [title for title, _text in chapters] == ["第一章 归航", "第二章 旧灯"]
    assert chapters[0][1].replace("***\n\n", "") == f"{RAIN}\n\n{BOAT}"
    assert chapters[1][1] == BOAT
