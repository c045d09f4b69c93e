"""EPUB 2 and 3 to marked text, with the standard library and a hardened XML parser."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.utils.translation import gettext as _

from arboris.novels.importing.archive import Archive, bad_epub
from arboris.novels.importing.decode import clean, decode_markup
from arboris.novels.importing.headings import heading_key, same_heading
from arboris.novels.importing.html_text import Paragraph, paragraphs
from arboris.novels.importing.markup import kind_of, mark_plain, take_title_heading
from arboris.novels.importing.package import Package, TocEntry, read_package
from arboris.novels.importing.types import MAX_TITLE, Heading, ImportLimits, MarkedText

_HEADING_LEVELS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class _Document:
    path: str
    blocks: list[Paragraph]


def read_epub(data: bytes, limits: ImportLimits) -> MarkedText:
    """Chapters by the table of contents, else by h1 to h3, else by wording, else by file."""
    archive = Archive(data, limits)
    package = read_package(archive)
    if not package.documents:
        raise bad_epub(_("its reading order is empty"))
    documents = [_document(archive, path) for path in package.documents]
    documents = [one for one in documents if one.blocks and not _is_contents(one.blocks)]
    marked = _mark(documents, package)
    marked.title = package.title or marked.title
    labels = {entry.path: entry.title for entry in reversed(package.toc)}
    marked.set_aside += [labels.get(path, path.rpartition("/")[2]) for path in package.apart]
    return _without_author(marked, package.author)


def _mark(documents: list[_Document], package: Package) -> MarkedText:
    read = {document.path for document in documents}
    toc = [entry for entry in package.toc if entry.path in read]
    if len({(entry.path, entry.fragment) for entry in toc}) > 1:
        marked = _mark_by_toc(documents, toc)
    else:
        marked = take_title_heading(_mark_by_tags(documents))
    marked = _without_title(marked, package.title)
    if marked.headings:
        return marked
    plain = mark_plain(marked.lines)
    return plain if plain.headings else _mark_by_file(documents)


def _document(archive: Archive, path: str) -> _Document:
    blocks = paragraphs(decode_markup(archive.read(path)))
    for block in blocks:
        block.text = clean(block.text)  # character references may name controls
    return _Document(path, [block for block in blocks if block.text.strip()])


def _is_contents(blocks: list[Paragraph]) -> bool:
    """A page of links is a table of contents, whatever the package says of it."""
    linked = sum(block.linked for block in blocks)
    links = sum(block.linked > 0 for block in blocks)
    return links >= 3 and linked * 10 >= 8 * sum(len(block.text) for block in blocks)


def _add(lines: list[str], block: Paragraph) -> None:
    lines += [*block.text.split("\n"), ""]


def _mark_by_tags(documents: list[_Document]) -> MarkedText:
    marked = MarkedText([], [])
    for block in (block for document in documents for block in document.blocks):
        if block.level in _HEADING_LEVELS and len(block.text) <= MAX_TITLE:
            marked.headings.append(_heading(marked.lines, block, block.level))
        _add(marked.lines, block)
    return marked


def _heading(lines: list[str], block: Paragraph, level: int) -> Heading:
    title = " ".join(block.text.split())
    return Heading(len(lines), title, level, kind_of(title), block.text.count("\n") + 1)


def _mark_by_file(documents: list[_Document]) -> MarkedText:
    marked = MarkedText([], [])
    for document in documents:
        if len(documents) > 1:
            marked.headings.append(Heading(len(marked.lines), "", 1, "special", 0))
        for block in document.blocks:
            _add(marked.lines, block)
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
    if not places and blocks[0].level in _HEADING_LEVELS and len(blocks[0].text) <= MAX_TITLE:
        own = _heading(marked.lines, blocks[0], 1)
        kind = own.kind if own.kind == "volume" else "special"
        marked.headings.append(Heading(own.at, own.title, 1, kind, own.span))
    done = 0
    for index in range(len(blocks)):
        for entry in _distinct(places.get(index, [])):
            title, count = _own_heading(blocks, max(index, done), entry.title)
            at = len(marked.lines)
            for block in blocks[max(index, done) : max(index, done) + count]:
                _add(marked.lines, block)
            done = max(index, done) + count
            span = len(marked.lines) - at
            marked.headings.append(Heading(at, title, entry.level, kind_of(title), span))
        if index >= done:
            _add(marked.lines, blocks[index])
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
        if author and line.strip() == author:
            marked.lines[at] = ""
            marked.set_aside.append(author)
    return marked
