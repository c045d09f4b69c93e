"""Word documents, HTML and FictionBook to chapters, and what they must not be able to do."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from docx import Document

from arboris.novels.importing import ImportedNovel, NovelImportError, parse_novel

FB2 = """<?xml version="1.0" encoding="windows-1251"?>
<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"
    xmlns:l="http://www.w3.org/1999/xlink">
<description><title-info><author><first-name>Lin</first-name></author>
<book-title>The <i>Hill</i></book-title><annotation><p>About.</p></annotation></title-info>
</description>
<body><title><p>The Hill</p></title><epigraph><p>For rain.</p></epigraph>
<section><title><p>Part One</p></title>
<section><title><p>Chapter 1</p><p>Up</p></title><p>He <emphasis>went</emphasis> up.</p>
<empty-line/><p>“<strong>No</strong>,” she said.</p><poem><stanza><v>Rain,</v><v>rain.</v></stanza>
</poem></section>
<section><title><p>Chapter 2</p></title><p>Down<a l:href="#n1">1</a>.</p></section></section></body>
<body name="notes"><section id="n1"><title><p>1</p></title><p>A note.</p></section></body>
<binary id="c.jpg" content-type="image/jpeg">AAAA</binary></FictionBook>"""


def told(novel: ImportedNovel) -> list[tuple[str, str]]:
    return [(chapter.title, chapter.content) for chapter in novel.chapters]


def docx(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def manuscript() -> Any:
    document = Document()
    document.add_paragraph("风起青州", style="Title")
    document.add_paragraph("林晚舟", style="Subtitle")
    document.add_paragraph("一座楼的故事。")
    document.add_heading("第一章 初见", 1)
    paragraph = document.add_paragraph("他说")
    paragraph.add_run("走").italic = True
    paragraph.add_run("，").italic = False
    paragraph.add_run("快").bold = True
    paragraph.add_run().add_break()
    paragraph.add_run("雨。", style="Emphasis")
    document.add_paragraph("* * *")
    document.add_heading("信", 2)
    document.add_paragraph("见字如面。")
    document.add_heading("第二章 夜雨", 1)
    document.add_table(1, 1).cell(0, 0).text = "雪。"
    return document


def test_a_word_document() -> None:
    novel = parse_novel("file.docx", docx(manuscript()))
    assert novel.title == "风起青州"
    assert told(novel) == [
        ("第一章 初见", "他说*走*，**快**\n*雨。*\n\n* * *\n\n信\n\n见字如面。"),
        ("第二章 夜雨", "雪。"),
    ]
    assert novel.set_aside == ["林晚舟", "一座楼的故事。"]


def test_a_word_document_without_styles_goes_by_its_wording() -> None:
    document = Document()
    for line in ("第一章 甲", "一。", "第二章 乙", "二。"):
        document.add_paragraph(line)
    assert told(parse_novel("书.docx", docx(document))) == [
        ("第一章 甲", "一。"),
        ("第二章 乙", "二。"),
    ]


def changed(data: bytes, old: str, new: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as out:
        for name in source.namelist():
            content = source.read(name)
            if name == "word/document.xml":
                assert old.encode() in content
                content = content.replace(old.encode(), new.encode(), 1)
            out.writestr(name, content)
    return target.getvalue()


def test_what_was_deleted_in_tracked_changes_stays_out() -> None:
    moved = (
        "<w:moveFrom><w:r><w:t>旧</w:t></w:r></w:moveFrom>"
        "<w:del><w:r><w:delText>删</w:delText></w:r></w:del>"
    )
    added = "<w:ins><w:r><w:t>新</w:t></w:r></w:ins>"
    data = changed(docx(manuscript()), "<w:t>见字如面。</w:t></w:r>", f"</w:r>{moved}{added}")
    assert told(parse_novel("a.docx", data))[0][1].endswith("信\n\n新")


def test_how_a_paragraph_looked_before_a_tracked_change_does_not_count() -> None:
    was = (
        '<w:pPr><w:pPrChange w:id="1" w:author="a"><w:pPr><w:pStyle w:val="Heading1"/></w:pPr>'
        '</w:pPrChange></w:pPr><w:r><w:rPr><w:rPrChange w:id="2" w:author="a"><w:rPr><w:b/>'
        "</w:rPr></w:rPrChange></w:rPr>"
    )
    data = changed(docx(manuscript()), "<w:r><w:t>见字如面。</w:t>", f"{was}<w:t>见字如面。</w:t>")
    chapters = told(parse_novel("a.docx", data))
    assert [title for title, _text in chapters] == ["第一章 初见", "第二章 夜雨"]
    assert chapters[0][1].endswith("信\n\n见字如面。")


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.docx", b"no zip"),
        ("a.docx", changed(docx(manuscript()), "<w:body>", "<w:body")),
        ("a.docx", changed(docx(manuscript()), "<w:document", f"{ENTITIES}<w:document")),
        ("a.fb2", b"no xml"),
        ("a.fb2", FB2.replace("<FictionBook", f"{ENTITIES}<FictionBook", 1).encode("cp1251")),
        ("a.fb2", b"<FictionBook><body/></FictionBook>"),
        ("a.html", b"<html><body></body></html>"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(NovelImportError) as caught:
        parse_novel(name, data)
    assert caught.value.code in ("bad_file", "empty")


def test_fiction_book() -> None:
    novel = parse_novel("file.fb2", FB2.encode("cp1251"))
    assert (novel.title, novel.language) == ("The Hill", "en")
    assert told(novel) == [
        ("Part One Chapter 1 Up", "He *went* up.\n\n***\n\n“**No**,” she said.\n\nRain,\n\nrain."),
        ("Chapter 2", "Down1."),
    ]
    assert novel.set_aside == ["notes", "For rain."]


def test_a_deep_document_costs_no_stack() -> None:
    deep = "<section>" * 20_000 + "<p>雨。</p>" + "</section>" * 20_000
    novel = parse_novel("a.fb2", f"<FictionBook><body>{deep}</body></FictionBook>".encode())
    assert told(novel) == [("a", "雨。")]


def test_html() -> None:
    page = (
        "<html><head><title>风起</title></head><body><h1>第一章 甲</h1><p>一<i>二</i>。<hr><p>三。"
        "<h1>第二章 乙</h1><div>四。</div></body></html>"
    )
    novel = parse_novel("a.html", page.encode())
    assert novel.title == "风起"
    assert told(novel) == [("第一章 甲", "一*二*。\n\n***\n\n三。"), ("第二章 乙", "四。")]
