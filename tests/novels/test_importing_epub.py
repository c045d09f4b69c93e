"""EPUB files to chapters, and what an EPUB must not be able to do."""

from __future__ import annotations

import io
import struct
import time
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arboris.novels.importing import ImportedNovel, ImportLimits, NovelImportError, parse_novel
from arboris.novels.importing.html_text import paragraphs
from tests.novels.epubs import archive, book, opf, page

ONE = page("<h1>第一章 初见</h1><p>雨下了<b>一</b>夜。</p><p>他没有来。</p>")
TWO = page("<h1>第二章 夜雨</h1><p>雪。</p>")
NAV = '<li><a href="{0}">{1}</a></li>'


def read(data: bytes, limits: ImportLimits | None = None) -> ImportedNovel:
    return parse_novel("file.epub", data, limits or ImportLimits())


def told(novel: ImportedNovel) -> list[tuple[str, str]]:
    return [(chapter.title, chapter.content) for chapter in novel.chapters]


def code_of(data: bytes, limits: ImportLimits | None = None) -> str:
    with pytest.raises(NovelImportError) as caught:
        read(data, limits)
    assert caught.value.message
    return caught.value.code


def test_spine_order_and_nav_titles() -> None:
    items = NAV.format("b.xhtml", "第一章 初见") + NAV.format("a.xhtml", "第二章 夜雨")
    novel = read(book({"b.xhtml": ONE, "a.xhtml": TWO}, nav_items=items))
    assert (novel.title, novel.language) == ("风起青州", "zh")
    assert told(novel) == [
        ("第一章 初见", "雨下了**一**夜。\n\n他没有来。"),
        ("第二章 夜雨", "雪。"),
    ]


def test_nested_ncx_with_anchors() -> None:
    def point(src: str, label: str, inner: str = "") -> str:
        return (
            f"<navPoint><navLabel><text>{label}</text></navLabel>"
            f'<content src="{src}"/>{inner}</navPoint>'
        )

    points = point(
        "t/a.xhtml", "第一卷", point("t/a.xhtml#c1", "第一章") + point("t/a.xhtml#c2", "第二章 雪")
    )
    first = page(
        '<h1>第一卷</h1><h2 id="c1">第一章</h2><p>甲。</p>'
        '<div id="c2"><h2>第二章</h2><h3>雪</h3><p>乙。</p></div>'
    )
    second = page("<p>乙，续。</p>")
    novel = read(book({"t/a.xhtml": first, "t/b.xhtml": second}, ncx_points=points))
    assert told(novel) == [("第一卷 第一章", "甲。"), ("第二章 雪", "乙。\n\n乙，续。")]


def test_without_contents_headings_count() -> None:
    novel = read(book({"a.xhtml": ONE, "b.xhtml": TWO}))
    assert [c.title for c in novel.chapters] == ["第一章 初见", "第二章 夜雨"]


def test_without_markup_the_wording_counts() -> None:
    plain = {"a.xhtml": page("<p>第一章 甲</p><p>一。</p><p>第二章 乙</p><p>二。</p>")}
    assert told(read(book(plain))) == [("第一章 甲", "一。"), ("第二章 乙", "二。")]
    files = {"a.xhtml": page("<p>一。</p>"), "b.xhtml": page("<p>二。</p>")}
    assert told(read(book(files))) == [("第 1 部分", "一。"), ("第 2 部分", "二。")]


def test_title_page_and_notes_are_no_chapters() -> None:
    links = "".join(f'<p><a href="a.xhtml">第{n}章</a></p>' for n in range(1, 5))
    documents = {
        "cover.xhtml": page('<img src="c.jpg" alt="cover"/>'),
        "title.xhtml": page("<h1>风起青州</h1><p>林晚舟</p>"),
        "toc.xhtml": page(links),
        "a.xhtml": ONE,
        "b.xhtml": TWO,
        "notes.xhtml": page("<p>注。</p>"),
    }
    items = "".join(
        NAV.format(name, label)
        for name, label in [
            ("cover.xhtml", "封面"),
            ("title.xhtml", "风起青州"),
            ("toc.xhtml", "目录"),
            ("a.xhtml", "第一章 初见"),
            ("b.xhtml", "夜雨"),
            ("notes.xhtml", "注释"),
        ]
    )
    novel = read(book(documents, nav_items=items, apart=("notes.xhtml",)))
    assert [c.title for c in novel.chapters] == ["第一章 初见", "第二章 夜雨"]
    assert novel.set_aside == ["注释", "林晚舟"]


def test_scene_breaks_emphasis_and_the_publishers_pages() -> None:
    rights = "<p>版权所有 © 2026 青州出版社。未经许可不得转载。</p>" * 20
    documents = {
        "t.xhtml": page(
            '<section epub:type="titlepage"><h1>风起青州</h1><p>一座楼。</p></section>'
        ),
        "r.xhtml": page(f"<h2>版权信息</h2>{rights}"),
        "d.xhtml": page("<p><i>献给雨。</i></p>"),
        "a.xhtml": page(
            "<h1>第一章 <em>初</em>见</h1><hr/><p>他说<em> 走 </em>，<b>快<i>走</i></b>。<br/><i>铃"
            "<br/>响</i></p><hr/><p>雨停了。<i>没有关</p><p>完。</p><hr/>"
        ),
    }
    items = NAV.format("r.xhtml", "版权") + NAV.format("a.xhtml", "第一章 初见")
    novel = read(book(documents, nav_items=items))
    assert told(novel) == [
        (
            "第一章 初见",
            "他说 *走* ，**快*****走***。\n*铃*\n*响*\n\n***\n\n雨停了。*没有关*\n\n完。",
        )
    ]
    assert novel.set_aside == ["风起青州 一座楼。", "版权", "*献给雨。*"]


def test_markup_becomes_readable_paragraphs() -> None:
    body = (
        "<!-- <p>no</p> --><script>var a = '<p>no</p>';</script><style>p{}</style>"
        "<div>一&nbsp;二&#x4E09;&lt;四&gt;<br/>五</div>"
        "<p>汉<ruby>字<rt>zi</rt></ruby>。<![CDATA[a < b]]></p>"
        '<ul><li>甲</li><li>乙</li></ul><p title="a > b">丙 & 丁 < 戊</p><svg><text>no</text></svg>'
    )
    assert [p.text for p in paragraphs(page(body))] == [
        "一 二三<四>\n五",
        "汉字。a < b",
        "甲",
        "乙",
        "丙 & 丁 < 戊",
    ]


def test_documents_in_the_encoding_that_they_declare() -> None:
    text = page("<h1>第一章</h1><p>雨。</p>").replace('encoding="utf-8"', 'encoding="gb2312"')
    files: dict[str, str | bytes] = {
        "OEBPS/content.opf": opf(["a.xhtml"]),
        "OEBPS/a.xhtml": text.encode("gb18030"),
    }
    assert told(read(archive(files))) == [("第一章", "雨。")]


def test_percent_encoded_names_and_control_references() -> None:
    files: dict[str, str | bytes] = {
        "OEBPS/content.opf": opf(["%E7%AB%A0%201.xhtml"]),
        "OEBPS/章 1.xhtml": page("<h1>第一章</h1><p>雨&#1;&#0;下。</p>"),
    }
    content = read(archive(files)).chapters[0].content
    assert "\x00" not in content and "\x01" not in content and content.startswith("雨")


# --- refused ----------------------------------------------------------------------------

ENCRYPTED = (
    '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" '
    'xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData>'
    '<enc:EncryptionMethod Algorithm="{}"/></enc:EncryptedData></encryption>'
)


def test_drm_is_refused_but_scrambled_fonts_are_not() -> None:
    def data(algorithm: str) -> bytes:
        more: dict[str, str | bytes] = {"META-INF/encryption.xml": ENCRYPTED.format(algorithm)}
        return book({"a.xhtml": ONE}, more=more)

    assert code_of(data("http://www.w3.org/2001/04/xmlenc#aes128-cbc")) == "drm"
    assert read(data("http://www.idpf.org/2008/embedding")).chapters


def test_an_entry_with_a_password_is_refused() -> None:
    data = bytearray(book({"a.xhtml": ONE}))
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:  # set the flag in the directory
        data[at + 8] |= 1
    assert code_of(bytes(data)) == "drm"


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"OEBPS/content.opf": "<package"},
        {"OEBPS/content.opf": "<package/>"},
        {"OEBPS/content.opf": opf([])},
        {"OEBPS/content.opf": opf(["missing.xhtml"])},
        {"OEBPS/content.opf": opf(["../../../etc/passwd"])},
        {"OEBPS/content.opf": opf(["a.xhtml"]), "OEBPS/a.xhtml": ONE, "../evil.txt": "x"},
        {"OEBPS/content.opf": opf(["a.xhtml"]), "OEBPS/a.xhtml": ONE, "/etc/evil": "x"},
        {"OEBPS/content.opf": opf(["a.xhtml"]), "OEBPS/a.xhtml": ONE, "C:\\evil": "x"},
    ],
    ids=[
        "no package",
        "broken package",
        "no spine",
        "empty spine",
        "document missing",
        "href outside",
        "entry outside",
        "absolute entry",
        "drive entry",
    ],
)
def test_broken_packages(files: dict[str, str | bytes]) -> None:
    assert code_of(archive(files)) == "bad_epub"


def test_broken_archives() -> None:
    data = book({"a.xhtml": ONE})
    assert code_of(b"no zip at all") == "bad_epub"
    assert code_of(data[: len(data) // 2]) == "bad_epub"
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as target:
        target.writestr("a.txt", "x")
    assert code_of(plain.getvalue()) == "bad_epub"
    stored = data.find(b"OEBPS/a.xhtml") + len("OEBPS/a.xhtml")
    assert code_of(data[:stored] + b"\xff" * 20 + data[stored + 20 :]) == "bad_epub"


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE p [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE p [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_entities_are_refused(doctype: str) -> None:
    text = opf(["a.xhtml"]).replace("?><package", f"?>{doctype}<package")
    assert code_of(archive({"OEBPS/content.opf": text, "OEBPS/a.xhtml": ONE})) == "bad_epub"


def test_bombs_are_refused_before_they_unfold() -> None:
    bomb: dict[str, str | bytes] = {"OEBPS/big.css": b"\x00" * (60 << 20)}
    assert code_of(book({"a.xhtml": ONE}, more=bomb)) == "too_large"
    tight: dict[str, str | bytes] = {"OEBPS/tight.css": b"\x00" * (2 << 20)}
    assert code_of(book({"a.xhtml": ONE}, more=tight)) == "too_large"
    many: dict[str, str | bytes] = {f"f/{n}": b"" for n in range(30)}
    assert code_of(book({"a.xhtml": ONE}, more=many), ImportLimits(entries=20)) == "too_large"


def test_a_forged_size_does_not_help() -> None:
    long = page("<p>" + "雨下了一夜。" * 50_000 + "</p>")
    data = bytearray(book({"a.xhtml": long}))
    at = data.rfind(b"OEBPS/a.xhtml") - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    struct.pack_into("<I", data, at + 24, 100)
    assert code_of(bytes(data)) == "bad_epub"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_archive_has_a_code(changes: list[tuple[int, int]]) -> None:
    data = bytearray(book({"a.xhtml": ONE, "b.xhtml": TWO}, nav_items=NAV.format("a.xhtml", "一")))
    for at, value in changes:
        data[at % len(data)] = value
    try:
        assert read(bytes(data)).chapters
    except NovelImportError as error:
        assert error.message


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "<h1>", "</h1>", "<br/>", "<a href='x'>", "</a>", "&lt;", "<", "<!--"]
        )
        | st.integers(0, 9).map(lambda n: f"雨{n}"),
        max_size=25,
    )
)
def test_no_text_of_a_broken_document_is_lost(pieces: list[str]) -> None:
    words = [piece for piece in pieces if piece.startswith("雨")]
    found = "".join(block.text for block in paragraphs("".join(pieces)))
    at = 0
    for word in words:
        at = found.find(word, at)
        assert at >= 0
        at += len(word)


def test_an_empty_book_is_empty() -> None:
    assert code_of(book({"a.xhtml": page('<img src="a.png"/>')})) == "empty"


@pytest.mark.parametrize(
    "junk", ["<a ", "<!--", "<![CDATA[", '<a b="', "<p><div>", "<", "&", "<a b=", "</", "<!x"]
)
def test_crafted_markup_takes_linear_time(junk: str) -> None:
    started = time.process_time()
    paragraphs(junk * (400_000 // len(junk)))
    assert time.process_time() - started < 3


def test_the_file_name_is_the_last_title() -> None:
    data = book({"a.xhtml": ONE}, title="")
    assert parse_novel("夜雨.epub", data).title == "夜雨"
