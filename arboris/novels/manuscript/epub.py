"""The manuscript as an EPUB 3 of its own making: one document a chapter, nothing but text.

https://www.w3.org/TR/epub-33/ says what has to be there; an NCX beside it serves old readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import IO

from arboris.novels.manuscript.blocks import blocks
from arboris.novels.manuscript.types import Block, Manuscript, Part, Span
from arboris.novels.manuscript.xml import escaped
from arboris.novels.manuscript.zips import FixedZip

_LANGUAGES = {"zh": "zh-Hans", "en": "en"}
_CONTENTS = {"zh": "目录", "en": "Contents"}
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_CONTAINER = f"""{_HEAD}<container version="1.0"
    xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles>
<rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/>
</rootfiles>
</container>
"""
_STYLE = """body { line-height: 1.6; }
p { margin: 0; text-indent: 1.5em; }
:lang(zh) p { text-indent: 2em; }
h1, h2, .author { text-align: center; text-indent: 0; }
h1 + p:not(:lang(zh)), hr + p:not(:lang(zh)) { text-indent: 0; }
hr { border: 0; margin: 1.5em 0; text-align: center; }
hr::before { content: "* * *"; }
"""


def write_epub(novel: Manuscript, target: IO[bytes]) -> None:
    with FixedZip(target) as out:
        out.add("mimetype", "application/epub+zip", stored=True)
        out.add("META-INF/container.xml", _CONTAINER)
        out.stream("EPUB/package.opf", _package(novel))
        out.stream("EPUB/nav.xhtml", _nav(novel))
        out.stream("EPUB/toc.ncx", _ncx(novel))
        out.add("EPUB/style.css", _STYLE)
        if novel.title_page:
            out.add("EPUB/title.xhtml", _title_page(novel))
        for number, (part, text) in enumerate(novel.chapters(), start=1):
            if part.volume:
                page = _page(novel, part.volume, f"<h1>{escaped(part.volume)}</h1>\n", "part")
                out.add(f"EPUB/volume-{number:04}.xhtml", page)
            out.add(f"EPUB/{_name(number)}", _chapter(novel, part, text))


def _name(number: int) -> str:
    return f"chapter-{number:04}.xhtml"


def _pages(novel: Manuscript) -> Iterator[str]:
    """File names in reading order."""
    if novel.title_page:
        yield "title.xhtml"
    for number, part in enumerate(novel.parts, start=1):
        if part.volume:
            yield f"volume-{number:04}.xhtml"
        yield _name(number)


# --- the package --------------------------------------------------------------------------------
def _package(novel: Manuscript) -> Iterator[str]:
    modified = novel.modified.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    yield (
        f'{_HEAD}<package xmlns="http://www.idpf.org/2007/opf" version="3.0" '
        f'unique-identifier="id" xml:lang="{_LANGUAGES[novel.language]}">\n'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f'<dc:identifier id="id">{escaped(novel.identifier)}</dc:identifier>\n'
        f"<dc:title>{escaped(novel.title)}</dc:title>\n"
        f"<dc:language>{_LANGUAGES[novel.language]}</dc:language>\n"
    )
    if novel.author:
        yield f"<dc:creator>{escaped(novel.author)}</dc:creator>\n"
    if novel.synopsis.strip():
        yield f"<dc:description>{escaped(novel.synopsis.strip())}</dc:description>\n"
    yield (
        f'<meta property="dcterms:modified">{modified}</meta>\n</metadata>\n<manifest>\n'
        '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>\n'
        '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>\n'
        '<item id="style" href="style.css" media-type="text/css"/>\n'
    )
    for page in _pages(novel):
        yield f'<item id="{_id(page)}" href="{page}" media-type="application/xhtml+xml"/>\n'
    yield '</manifest>\n<spine toc="ncx">\n'
    for page in _pages(novel):
        yield f'<itemref idref="{_id(page)}"/>\n'
    yield "</spine>\n</package>\n"


def _id(page: str) -> str:
    return page.partition(".")[0]


def _nav(novel: Manuscript) -> Iterator[str]:
    title = _CONTENTS[novel.language]
    yield _opening(novel, title)
    yield f'<nav epub:type="toc" id="toc"><h1>{title}</h1>\n<ol>\n'
    inside = False
    for number, part in enumerate(novel.parts, start=1):
        if part.volume:
            yield "</ol></li>\n" * inside
            inside = True
            yield f'<li><a href="volume-{number:04}.xhtml">{escaped(part.volume)}</a>\n<ol>\n'
        yield f'<li><a href="{_name(number)}">{escaped(part.title)}</a></li>\n'
    yield "</ol></li>\n" * inside
    yield "</ol></nav>\n</body></html>\n"


def _ncx(novel: Manuscript) -> Iterator[str]:
    yield (
        f'{_HEAD}<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1" '
        f'xml:lang="{_LANGUAGES[novel.language]}">\n'
        f'<head><meta name="dtb:uid" content="{escaped(novel.identifier)}"/></head>\n'
        f"<docTitle><text>{escaped(novel.title)}</text></docTitle>\n<navMap>\n"
    )
    place, inside = 0, False
    for number, part in enumerate(novel.parts, start=1):
        if part.volume:
            yield "</navPoint>\n" * inside
            place, inside = place + 1, True
            yield _point(place, f"volume-{number:04}.xhtml", part.volume)
        place += 1
        yield f"{_point(place, _name(number), part.title)}</navPoint>\n"
    yield "</navPoint>\n" * inside
    yield "</navMap>\n</ncx>\n"


def _point(place: int, page: str, title: str) -> str:
    return (
        f'<navPoint id="point-{place}" playOrder="{place}"><navLabel><text>{escaped(title)}'
        f'</text></navLabel><content src="{page}"/>'
    )


# --- the pages ----------------------------------------------------------------------------------
def _title_page(novel: Manuscript) -> str:
    lines = [f"<h1>{escaped(novel.title)}</h1>\n"]
    if novel.author:
        lines.append(f'<p class="author">{escaped(novel.author)}</p>\n')
    lines += map(_block, blocks(novel.synopsis))
    return _page(novel, novel.title, "".join(lines), "titlepage")


def _chapter(novel: Manuscript, part: Part, text: str) -> str:
    body = "".join(map(_block, blocks(text)))
    return _page(novel, part.title, f"<h1>{escaped(part.title)}</h1>\n{body}", "chapter")


def _page(novel: Manuscript, title: str, body: str, kind: str) -> str:
    section = f'<section epub:type="{kind}">\n{body}</section>\n'
    return f"{_opening(novel, title)}{section}</body></html>\n"


def _opening(novel: Manuscript, title: str) -> str:
    language = _LANGUAGES[novel.language]
    return (
        f'{_HEAD}<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" '
        f'xmlns:epub="http://www.idpf.org/2007/ops" lang="{language}" xml:lang="{language}">\n'
        f"<head><title>{escaped(title)}</title>"
        '<link rel="stylesheet" type="text/css" href="style.css"/></head>\n<body>\n'
    )


def _block(block: Block) -> str:
    if block.kind == "break":
        return "<hr/>\n"
    # A chapter's own heading is the h1.
    name = f"h{min(6, block.level + 1)}" if block.kind == "heading" else "p"
    return f"<{name}>{_inline(block.spans)}</{name}>\n"


def _inline(spans: Iterable[Span]) -> str:
    return "".join(map(_styled, spans))


def _styled(span: Span) -> str:
    text = escaped(span.text)
    if span.italic:
        text = f"<em>{text}</em>"
    return f"<strong>{text}</strong>" if span.bold else text
