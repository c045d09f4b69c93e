"""EPUB files as they are found: what readers open, an import opens."""

from __future__ import annotations

import pytest

from arboris.novels.importing import ImportedNovel, parse_novel
from tests.novels.epubs import CONTAINER, archive, book, ncx, opf, page

RAIN = "<p>雨下了一夜，江面上的灯一盏一盏灭了。</p>"
ONE = page(f"<h2>第一章 归航</h2>{RAIN}<p>记号甲。</p>")
TWO = page(f"<h2>第二章 旧灯</h2>{RAIN}<p>记号乙。</p>")
HEADS = ["第一章 归航", "第二章 旧灯"]


def read(data: bytes) -> ImportedNovel:
    return parse_novel("file.epub", data)


def titles(novel: ImportedNovel) -> list[str]:
    return [chapter.title for chapter in novel.chapters]


def test_what_the_spine_names_and_is_not_there_is_set_aside() -> None:
    text = opf(["cover.xhtml", "a.xhtml", "b.xhtml"]).replace(
        "<spine>", '<spine><itemref idref="nowhere"/>'
    )
    novel = read(archive({"OEBPS/content.opf": text, "OEBPS/a.xhtml": ONE, "OEBPS/b.xhtml": TWO}))
    assert titles(novel) == HEADS
    assert novel.set_aside == ["nowhere", "cover.xhtml"]


@pytest.mark.parametrize(
    ("href", "entry"),
    [
        ("/OEBPS/a.xhtml", "OEBPS/a.xhtml"),
        ("/a.xhtml", "OEBPS/a.xhtml"),
        ("OEBPS/a.xhtml", "OEBPS/a.xhtml"),
        ("./a.xhtml", "OEBPS/a.xhtml"),
        ("../OEBPS/a.xhtml", "OEBPS/a.xhtml"),
        ("../../a.xhtml", "a.xhtml"),
        ("text\\a.xhtml", "OEBPS/text/a.xhtml"),
        ("text/a.xhtml", "OEBPS\\text\\a.xhtml"),
        ("Text/A.XHTML", "OEBPS/text/a.xhtml"),
        ("a%20b.xhtml", "OEBPS/a b.xhtml"),
        ("a%20b.xhtml", "OEBPS/a%20b.xhtml"),
        ("%E7%AB%A0.xhtml", "OEBPS/章.xhtml"),
        ("text%5Ca.xhtml", "OEBPS/text/a.xhtml"),
        ("a b.xhtml", "OEBPS/a b.xhtml"),
    ],
)
def test_paths_as_they_are_written(href: str, entry: str) -> None:
    points = f'<navPoint><navLabel><text>卷首</text></navLabel><content src="{href}"/></navPoint>'
    item = '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    files: dict[str, str | bytes] = {
        "OEBPS/content.opf": opf([href, "b.xhtml"], extra_items=item, spine_attrs=' toc="ncx"'),
        "OEBPS/toc.ncx": ncx(points),
        entry: ONE,
        "OEBPS/b.xhtml": TWO,
    }
    novel = read(archive(files))
    assert titles(novel) == HEADS
    assert novel.set_aside == []


@pytest.mark.parametrize("path", ["/OEBPS/content.opf", "oebps/CONTENT.opf", "OEBPS\\content.opf"])
def test_the_package_is_found(path: str) -> None:
    container = CONTAINER.replace("OEBPS/content.opf", path)
    files: dict[str, str | bytes] = {"OEBPS/content.opf": opf(["a.xhtml"]), "OEBPS/a.xhtml": ONE}
    assert titles(read(archive(files, container=container))) == HEADS[:1]


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("gb2312", "utf-8"), ("iso-8859-1", "utf-8"), ("utf-16", "utf-8"), ("x-none", "utf-8"),
        ("utf-8", "gb18030"), ("gb2312", "gb18030"), ("utf-8", "utf-16"),
        ("utf-8", "utf-16-le"),
    ],
)  # fmt: skip
def test_a_charset_that_is_not_what_it_says(declared: str, codec: str) -> None:
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}"/>'
    text = page(f"<h2>第一章 归航</h2>{RAIN * 3}<p>记号甲。</p>", meta).partition("?>")[2]
    files: dict[str, str | bytes] = {
        "OEBPS/content.opf": opf(["a.xhtml"]),
        "OEBPS/a.xhtml": text.encode(codec),
    }
    novel = read(archive(files))
    assert titles(novel) == HEADS[:1]
    assert novel.chapters[0].content.endswith("记号甲。")


def test_a_broken_byte_in_a_document_is_told() -> None:
    broken = ONE.encode().replace("一盏".encode(), b"\xff", 1)
    files: dict[str, str | bytes] = {"OEBPS/content.opf": opf(["a.xhtml"]), "OEBPS/a.xhtml": broken}
    novel = read(archive(files))
    assert "\ufffd" in novel.chapters[0].content
    assert len(novel.set_aside) == 1 and novel.set_aside[0].startswith("a.xhtml")


def test_loose_entities_in_the_package_and_the_contents() -> None:
    points = "".join(
        f"<navPoint><navLabel><text>{label}</text></navLabel><content src='{src}'/></navPoint>"
        for label, src in (("第一章&nbsp;归航&mdash;&unknown;", "a.xhtml"), ("R&D & Co", "b.xhtml"))
    )
    plain = page(RAIN + "<p>&nbsp;&nbsp;记号&mdash;甲 & 乙&unknown;。</p>")
    data = book(
        {"a.xhtml": plain, "b.xhtml": plain}, ncx_points=points, title="雨&nbsp;&amp;&hellip;"
    )
    novel = read(data)
    assert novel.title == "雨 &…"
    assert titles(novel) == ["第一章 归航—&unknown;", "R&D & Co"]
    assert "记号—甲 & 乙&unknown;。" in novel.chapters[0].content


def test_a_prefix_that_nothing_binds() -> None:
    text = opf(["a.xhtml", "b.xhtml"]).replace(
        "<dc:creator>", '<dc:date xsi:type="dcterms:W3CDTF">2009</dc:date><dc:creator opf:role="a">'
    )
    novel = read(archive({"OEBPS/content.opf": text, "OEBPS/a.xhtml": ONE, "OEBPS/b.xhtml": TWO}))
    assert (novel.title, titles(novel)) == ("风起青州", HEADS)


@pytest.mark.parametrize(
    "ref",
    [
        '<a epub:type="noteref" href="#n1"><sup>1</sup></a>',
        '<sup><a href="#n1">1</a></sup>',
        '<a href="#n1"><sup>[1]</sup></a>',
        '<a href="#n1">[1]</a>',
        '<a href="#n1">①</a>',
        '<a class="x" href="#n1"><span><sup>（12）</sup></span></a>',
        '<a epub:type="noteref" href="#n1">1</a>',
        '<a role="doc-noteref" href="#n1">*</a>',
        '<sup id="r1">〔<a href="#n1">注1</a>〕</sup>',
        '<a href="#fn1">3</a>',
    ],
)
def test_note_numbers_are_not_glued_to_names(ref: str) -> None:
    note = '<p id="n1"><a href="#r1">1</a> 林渡，江上人。</p><p id="fn1">另注。</p>'
    novel = read(
        book({"a.xhtml": page(f"<h2>第一章{ref}</h2><p>他叫林渡{ref}，不问来历。</p>{RAIN}{note}")})
    )
    assert titles(novel) == ["第一章"]
    assert "他叫林渡，不问来历。" in novel.chapters[0].content
    noted = "另注。" if "#fn1" in ref else "1 林渡，江上人。"
    assert noted in novel.set_aside
    assert noted not in novel.chapters[0].content


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("10<sup>3</sup>米", "103米"),
        ("三平方 m<sup>2</sup>", "三平方 m2"),
        ("le 1<sup>er</sup> mai", "le 1er mai"),
        ("林渡<sup>1</sup>走了", "林渡走了"),
        ("林渡<sup>[注]</sup>走了", "林渡[注]走了"),
        ('见<a href="b.xhtml#c5">第五章</a>', "见第五章"),
        ('见第<a href="b.xhtml#c5">5</a>章', "见第5章"),
        ("林渡<sup>†</sup>走了", "林渡走了"),
    ],
)
def test_what_is_raised_or_linked_and_no_note_stays(markup: str, text: str) -> None:
    novel = read(book({"a.xhtml": page(f"<h2>第一章</h2><p>{markup}</p>")}))
    assert novel.chapters[0].content == text


def test_notes_are_set_apart_wherever_they_stand() -> None:
    ref = '<a href="notes.xhtml#n{0}"><sup>{0}</sup></a>'
    documents = {
        "a.xhtml": page(f"<h2>第一章</h2><p>林渡{ref.format(1)}。</p>"),
        "b.xhtml": page(
            f"<h2>第二章</h2><p>苏晚{ref.format(2)}。</p>"
            '<aside epub:type="footnote"><p>旁注。</p><p>又一段。</p></aside><p>她走了。</p>'
        ),
        "notes.xhtml": page(
            '<h2>注释</h2><p id="n1"><a href="a.xhtml#r">1</a>江上人。</p><p id="n2">2 渡口人。</p>'
        ),
    }
    novel = read(book(documents))
    found = [(chapter.title, chapter.content) for chapter in novel.chapters]
    assert found == [("第一章", "林渡。"), ("第二章", "苏晚。\n\n她走了。")]
    assert novel.set_aside == ["旁注。", "又一段。", "1江上人。", "2 渡口人。", "注释"]


VOLUMES = [("卷一 少年游", "第一章 归航 第二章 旧灯"), ("卷二 江湖夜", "第三章 夜渡 第四章 听雨")]


@pytest.mark.parametrize("tag", ["h2", "h4", "p"])
@pytest.mark.parametrize("kind", ["ncx", "nav"])
def test_contents_that_name_volumes_only(tag: str, kind: str) -> None:
    documents, points, items = {}, "", ""
    for number, (volume, names) in enumerate(VOLUMES):
        words = names.split()
        inner = "".join(f"<{tag}>{' '.join(words[at : at + 2])}</{tag}>{RAIN * 4}" for at in (0, 2))
        documents[f"v{number}.xhtml"] = page(f"<h1>{volume}</h1>{inner}")
        src = f"v{number}.xhtml"
        points += (
            f'<navPoint><navLabel><text>{volume}</text></navLabel><content src="{src}"/></navPoint>'
        )
        items += f'<li><a href="{src}">{volume}</a></li>'
    data = book(
        documents,
        ncx_points=points if kind == "ncx" else "",
        nav_items=items if kind == "nav" else "",
    )
    assert titles(read(data)) == [
        "卷一 少年游 第一章 归航",
        "第二章 旧灯",
        "卷二 江湖夜 第三章 夜渡",
        "第四章 听雨",
    ]


def test_volumes_in_the_contents_that_lead_nowhere() -> None:
    items = (
        '<li><span>卷一</span><ol><li><a href="a.xhtml">第一章 归航</a></li></ol></li>'
        '<li><span>卷二</span><ol><li><a href="b.xhtml">第二章 旧灯</a></li></ol></li>'
    )
    novel = read(book({"a.xhtml": ONE, "b.xhtml": TWO}, nav_items=items))
    assert titles(novel) == ["卷一 第一章 归航", "卷二 第二章 旧灯"]


@pytest.mark.parametrize(
    "mark",
    [
        "<hr/>", "<p>* * *</p>", "<p>＊＊＊</p>", "<div>◇◇◇</div>", "<p>※</p>", "<p>&nbsp;</p>",
        "<p><br/></p>", "<p></p>", '<div class="scene-break"></div>', "<p>———</p>", "<p>#</p>",
        '<p class="ornament">❦</p>', "<hr/><p>&nbsp;</p>",
    ],
)  # fmt: skip
def test_scene_breaks(mark: str) -> None:
    told = "<p>甲。</p>" * 6
    novel = read(book({"a.xhtml": page(f"<h2>第一章</h2>{told}{mark}<p>乙。</p>{mark}")}))
    assert novel.chapters[0].content.endswith("甲。\n\n***\n\n乙。")


def test_empty_paragraphs_between_all_part_no_scenes() -> None:
    told = "<p>甲。</p><p>&nbsp;</p>" * 6
    novel = read(book({"a.xhtml": page(f"<h2>第一章</h2>{told}")}))
    assert "***" not in novel.chapters[0].content
    picture = '<p>甲。</p><p><img src="a.png" alt=""/></p><p>乙。</p>'
    novel = read(book({"a.xhtml": page(f"<h2>第一章</h2>{picture}")}))
    assert novel.chapters[0].content == "甲。\n\n乙。"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ('<span class="italic">走</span>了', "*走*了"),
        ('<span style="font-style: italic">走</span>了', "*走*了"),
        ('<span style="font-weight:700">走</span>了', "**走**了"),
        ('<span class="bold">走<span>吧</span></span>了', "**走吧**了"),
        ("<em>走<span>吧</span></em>了", "*走吧*了"),
        ("<span>走</span>了", "走了"),
    ],
)
def test_emphasis(markup: str, text: str) -> None:
    novel = read(book({"a.xhtml": page(f"<h2>第一章</h2><p>{markup}</p>")}))
    assert novel.chapters[0].content == text


def test_front_matter_is_apart() -> None:
    pages = ["版权页", "Copyright", "Also by Lin Wan", "About the Author", "目录", "制作信息"]
    documents = {f"p{n}.xhtml": page(f"<h2>{one}</h2><p>青州。</p>") for n, one in enumerate(pages)}
    novel = read(book({**documents, "a.xhtml": ONE, "b.xhtml": TWO}))
    assert titles(novel) == HEADS
    assert len(novel.set_aside) == len(pages)
