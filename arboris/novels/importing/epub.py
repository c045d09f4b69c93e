"""EPUB 2 and 3 to marked text, with the standard library and a hardened XML parser."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import islice

from django.utils.translation import gettext as _

from arboris.novels.importing.archive import Archive, bad_epub
from arboris.novels.importing.blocks import (
    add,
    heading,
    is_heading,
    mark_by_tags,
)
from arboris.novels.importing.decode import clean, decode_markup
from arboris.novels.importing.headings import heading_key, same_heading
from arboris.novels.importing.html_text import Paragraph, paragraphs, tokens
from arboris.novels.importing.markup import (
    kind_of,
    mark_plain,
    take_title_heading,
    without_edge_breaks,
)
from arboris.novels.importing.notes import take_notes
from arboris.novels.importing.package import Package, TocEntry, read_package
from arboris.novels.importing.types import MAX_TITLE, Heading, ImportLimits, MarkedText

_FRONT_KINDS = frozenset({"cover", "titlepage", "halftitlepage", "copyright-page", "colophon"})
_FRONT = re.compile(
    r"(?:版权|版權)(?:信息|资讯|資訊|页|頁|所有|声明|聲明)?|封面|扉页|扉頁|书名页|書名頁"
    r"|制作信息|製作信息|出版信息|书籍信息|关于作者|作者简介|作者簡介|目录|目錄"
    r"|copyright(?: page| notice)?|cover|title page|half[- ]title|colophon|imprint"
    r"|about the (?:author|publisher)|also by\b.{0,60}|(?:table of )?contents",
    re.IGNORECASE,
)
_IMPRINT = re.compile(
    r"all rights reserved|\bISBN\b|版权所有|版權所有|著作权|著作權|出版社|©\s?\d{4}"
    r"|copyright\s+(?:©|\(c\)|\d{4})",
    re.IGNORECASE,
)
_IMPRINT_CHARS = 3_000  # of a page of the publisher's, at most
_TYPED = 30  # tags of a document that are looked at for its type


@dataclass(frozen=True, slots=True)
class _Document:
    """``kinds``: what its ``epub:type`` says of it; ``broken``: where bytes were replaced."""

    path: str
    blocks: list[Paragraph]
    kinds: frozenset[str]
    broken: list[str]


def read_epub(data: bytes, limits: ImportLimits) -> MarkedText:
    """Chapters by the table of contents, else by h1 to h3, else by wording, else by file."""
    archive = Archive(data, limits)
    package = read_package(archive)
    if not package.documents:
        raise bad_epub(_("its reading order is empty"))
    documents = [_document(archive, path) for path in package.documents]
    notes = take_notes(((one.path, one.blocks) for one in documents), archive.resolve)
    documents = [one for one in documents if one.blocks and not _is_contents(one.blocks)]
    labels = {entry.path: entry.title for entry in reversed(package.toc)}
    front = [one for one in documents if _is_front(one, labels.get(one.path, ""))]
    told = [one for one in documents if one not in front]
    if not told:
        front, told = [], documents
    marked = _mark(told, package)
    marked.title = package.title or marked.title
    marked.set_aside += [labels.get(one.path, "") or _beginning(one.blocks) for one in front]
    marked.set_aside += notes
    marked.set_aside += [place for one in documents for place in one.broken]
    marked.set_aside += [labels.get(path, path.rpartition("/")[2]) for path in package.apart]
    return _without_author(marked, package.author)


def _mark(documents: list[_Document], package: Package) -> MarkedText:
    read = {document.path for document in documents}
    toc = [entry for entry in package.toc if entry.path in read]
    if len({(entry.path, entry.fragment) for entry in toc}) > 1:
        marked = _with_chapters(_mark_by_toc(documents, toc))
    else:
        blocks = (block for document in documents for block in document.blocks)
        marked = take_title_heading(mark_by_tags(blocks))
    marked = without_edge_breaks(_without_title(marked, package.title))
    if marked.headings:
        return marked
    plain = mark_plain(marked.lines)
    return plain if plain.headings else _mark_by_file(documents)


def _document(archive: Archive, path: str) -> _Document:
    decoded = decode_markup(archive.read(path))
    markup = decoded.text
    blocks = paragraphs(markup)
    for block in blocks:
        block.text = clean(block.text)  # character references may name controls
    types = (token.attrs.get("epub:type", "") for token in islice(tokens(markup), _TYPED))
    kinds = frozenset(kind for value in types for kind in value.split())
    told = [block for block in blocks if block.text.strip()]
    broken = [f"{path.rpartition('/')[2]}: {place}" for place in decoded.broken]
    return _Document(path, told, kinds, broken)


def _is_front(document: _Document, label: str) -> bool:
    """Pages of the publisher, which are no text of the writer's."""
    if document.kinds & _FRONT_KINDS:
        return True
    first = " ".join(document.blocks[0].text.split())
    if _is_imprint(document):
        return True
    return any(_FRONT.fullmatch(one) for one in (label, first) if len(one) <= MAX_TITLE)


def _is_imprint(document: _Document) -> bool:
    """By what only a publisher says, on a page without a heading of a chapter."""
    if any(kind_of(block.text) != "plain" for block in document.blocks if is_heading(block)):
        return False
    if sum(len(block.text) for block in document.blocks) > _IMPRINT_CHARS:
        return False
    return (
        len(
            {
                found.casefold()
                for block in document.blocks
                for found in _IMPRINT.findall(block.text)
            }
        )
        > 1
    )


def _beginning(blocks: list[Paragraph]) -> str:
    return " ".join(" ".join(block.text for block in blocks[:20]).split())[:MAX_TITLE]


def _is_contents(blocks: list[Paragraph]) -> bool:
    """A page of links is a table of contents, whatever the package says of it."""
    linked = sum(block.linked for block in blocks)
    links = sum(block.linked > 0 for block in blocks)
    return links >= 3 and linked * 10 >= 8 * sum(len(block.text) for block in blocks)


def _mark_by_file(documents: list[_Document]) -> MarkedText:
    marked = MarkedText([], [])
    for document in documents:
        if len(documents) > 1:
            marked.headings.append(Heading(len(marked.lines), "", 1, "special", 0))
        for block in document.blocks:
            add(marked.lines, block)
    return marked


def _mark_by_toc(documents: list[_Document], toc: list[TocEntry]) -> MarkedText:
    by_path: dict[str, list[TocEntry]] = defaultdict(list)
    for entry in toc:
        by_path[entry.path].append(entry)
    marked = MarkedText([], [])
    for document in documents:
        places = _places(document.blocks, by_path[document.path])
        _mark_document(marked, document.blocks, places)
    return marked


def _with_chapters(marked: MarkedText) -> MarkedText:
    """Where the contents name volumes only, the chapters in them by the wording of their lines."""
    if any(one.kind != "volume" for one in marked.headings):
        return marked
    known = {one.at for one in marked.headings}
    worded = mark_plain(marked.lines).headings
    chapters = [replace(one, level=9) for one in worded if one.at not in known]
    chapters = [one for one in chapters if one.kind not in ("volume", "section")]
    headings = sorted([*marked.headings, *chapters], key=lambda one: one.at)
    return replace(marked, headings=headings) if chapters else marked


def _places(blocks: list[Paragraph], entries: list[TocEntry]) -> dict[int, list[TocEntry]]:
    """Contents entries by the index of the block that they stand before."""
    anchors: dict[str, int] = {}
    for index, block in enumerate(blocks):
        for anchor in block.ids:
            anchors.setdefault(anchor, index)
    places: dict[int, list[TocEntry]] = defaultdict(list)
    for number, entry in enumerate(entries):
        if not entry.fragment:
            places[0].append(entry)
        elif entry.fragment in anchors:
            places[anchors[entry.fragment]].append(entry)
        elif number == 0:  # a dead anchor still names the document
            places[0].append(entry)
    return places


def _mark_document(
    marked: MarkedText, blocks: list[Paragraph], places: dict[int, list[TocEntry]]
) -> None:
    # A document that the contents leave out goes on with the chapter before, unless it
    # opens with a heading of its own.
    if not places and is_heading(blocks[0]):
        own = heading(marked.lines, blocks[0], 1)
        kind = own.kind if own.kind == "volume" else "special"
        marked.headings.append(Heading(own.at, own.title, 1, kind, own.span))
    done = 0
    for index in range(len(blocks)):
        for entry in _distinct(places.get(index, [])):
            title, count = _own_heading(blocks, max(index, done), entry.title)
            at = len(marked.lines)
            for block in blocks[max(index, done) : max(index, done) + count]:
                add(marked.lines, block)
            done = max(index, done) + count
            span = len(marked.lines) - at
            marked.headings.append(Heading(at, title, entry.level, kind_of(title), span))
        if index >= done:
            add(marked.lines, blocks[index])
            done = index + 1


def _distinct(entries: list[TocEntry]) -> list[TocEntry]:
    return [
        entry
        for number, entry in enumerate(entries)
        if number == 0 or not same_heading(entries[number - 1].title, entry.title)
    ]


def _own_heading(blocks: list[Paragraph], start: int, label: str) -> tuple[str, int]:
    """The title, and how many blocks from ``start`` on print it in the document itself."""
    key, printed = heading_key(label), ""
    for count, block in enumerate(blocks[start : start + 4], start=1):
        printed += heading_key(block.text[: 2 * MAX_TITLE])
        if printed == key:
            return label, count
        if not key.startswith(printed):
            break
    if start < len(blocks) and blocks[start].level and len(blocks[start].text) <= MAX_TITLE:
        own = " ".join(blocks[start].text.split())
        if heading_key(own) in key:
            return label, 1
        if key in heading_key(own):
            return own, 1
    return label, 0


def _without_title(marked: MarkedText, title: str) -> MarkedText:
    """The title page is no chapter: its heading becomes text before the first one."""
    headings = marked.headings
    if len(headings) > 1 and title and heading_key(headings[0].title) == heading_key(title):
        first = headings[0]
        blank = [""] * first.span
        lines = marked.lines[: first.at] + blank + marked.lines[first.at + first.span :]
        return MarkedText(lines, headings[1:], title, marked.set_aside)
    return marked


def _without_author(marked: MarkedText, author: str) -> MarkedText:
    """The author's name alone on a line before the first heading is noted, not told."""
    end = marked.headings[0].at if marked.headings else 0
    for at, line in enumerate(marked.lines[:end]):
        if author and line.strip().strip("*") == author:
            marked.lines[at] = ""
            marked.set_aside.append(author)
    return marked
