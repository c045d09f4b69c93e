"""An EPUB's own description: reading order, title and table of contents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from django.utils.translation import gettext as _

from arboris.novels.importing.archive import Archive, bad_epub, drm
from arboris.novels.importing.decode import clean, decode_markup
from arboris.novels.importing.html_text import tokens
from arboris.novels.importing.types import MAX_TITLE

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
# Scrambled fonts are no copy protection: the text stays readable.
_FONT_SCRAMBLING = {
    "http://www.idpf.org/2008/embedding",
    "http://ns.adobe.com/pdf/enc#RC",
}
_XHTML = {"application/xhtml+xml", "text/html", "text/x-oeb1-document", "application/xml"}
_SUFFIXES = (".xhtml", ".html", ".htm", ".xml")


@dataclass(frozen=True, slots=True)
class TocEntry:
    path: str
    fragment: str  # empty: the document as a whole
    title: str
    level: int  # 1 is the outermost


@dataclass(frozen=True, slots=True)
class Package:
    """``documents`` are entry names in reading order; ``apart`` those outside of it, and what it
    names that is not there."""

    title: str
    author: str
    documents: list[str]
    apart: list[str]
    toc: list[TocEntry]


@dataclass(frozen=True, slots=True)
class _Item:
    path: str
    media_type: str
    properties: frozenset[str]

    @property
    def is_document(self) -> bool:
        known = self.media_type in _XHTML
        return known or ("/" not in self.media_type and self.path.lower().endswith(_SUFFIXES))


def read_package(archive: Archive) -> Package:
    """Raises NovelImportError: ``drm``, or ``bad_epub`` where a needed part is missing."""
    _refuse_drm(archive)
    root = archive.xml(_CONTAINER)
    rootfile = next((e.get("full-path", "") for e in _all(root, "rootfile")), "")
    if not rootfile:
        raise bad_epub(_("it names no package document"))
    opf_path, _fragment = archive.resolve("", rootfile)
    opf = archive.xml(opf_path)
    items = _manifest(archive, opf, opf_path)
    spine = next(_all(opf, "spine"), None)
    if spine is None:
        raise bad_epub(_("it has no reading order"))
    contents = _contents_paths(archive, opf, opf_path, items)
    documents: list[str] = []
    apart: list[str] = []
    for ref in _all(spine, "itemref"):
        name = clean(ref.get("idref", ""))
        item = items.get(name)
        if item and (not item.is_document or item.path in contents):
            continue
        path = item.path if item else name
        target = documents if path in archive and ref.get("linear") != "no" else apart
        if path and path not in target:
            target.append(path)
    return Package(
        title=_first_text(opf, "title"),
        author=_first_text(opf, "creator"),
        documents=documents,
        apart=apart,
        toc=_toc(archive, items, spine.get("toc", "")),
    )


def _refuse_drm(archive: Archive) -> None:
    if _ENCRYPTION not in archive:
        return
    for data in _all(archive.xml(_ENCRYPTION), "EncryptedData"):
        methods = [child for child in data if _local(child) == "EncryptionMethod"]
        if not methods or methods[0].get("Algorithm") not in _FONT_SCRAMBLING:
            raise drm()


def _manifest(archive: Archive, opf: Element, opf_path: str) -> dict[str, _Item]:
    items: dict[str, _Item] = {}
    for item in _all(opf, "item"):
        href = item.get("href", "")
        if not href or "://" in href:
            continue
        path, _fragment = archive.resolve(opf_path, href)
        properties = frozenset(item.get("properties", "").split())
        items[item.get("id", "")] = _Item(path, item.get("media-type", ""), properties)
    return items


def _contents_paths(
    archive: Archive, opf: Element, opf_path: str, items: dict[str, _Item]
) -> set[str]:
    """Documents that are a table of contents: the nav document and what the guide says."""
    paths = {item.path for item in items.values() if "nav" in item.properties}
    for reference in _all(opf, "reference"):
        if reference.get("type") == "toc" and reference.get("href"):
            path, fragment = archive.resolve(opf_path, reference.get("href", ""))
            if not fragment:
                paths.add(path)
    return paths


def _toc(archive: Archive, items: dict[str, _Item], ncx_id: str) -> list[TocEntry]:
    nav = next((item for item in items.values() if "nav" in item.properties), None)
    if nav and nav.path in archive:
        markup = decode_markup(archive.read(nav.path)).text
        if entries := _entries(archive, nav.path, _nav_labels(markup)):
            return entries
    ncx = items.get(ncx_id) or next(
        (item for item in items.values() if item.media_type == "application/x-dtbncx+xml"), None
    )
    if ncx and ncx.path in archive:
        return _entries(archive, ncx.path, _ncx_labels(archive.xml(ncx.path)))
    return []


_Label = tuple[str, str, int]  # where it leads, what it says, level


def _entries(archive: Archive, base: str, labels: Iterator[_Label]) -> list[TocEntry]:
    """What leads nowhere (a volume that only groups chapters) stands where the next one does."""
    entries: list[TocEntry] = []
    waiting: list[tuple[str, int]] = []
    for href, label, level in labels:
        title = " ".join(clean(label).split())[:MAX_TITLE]
        if not title or "://" in href:
            continue
        if not href:
            waiting.append((title, level))
            continue
        path, fragment = archive.resolve(base, href)
        waiting = [one for one in waiting if one[1] < level]
        entries += [TocEntry(path, fragment, *one) for one in [*waiting, (title, level)]]
        waiting = []
    return entries


def _nav_labels(markup: str) -> Iterator[_Label]:
    """The entries of the first ``nav`` that is the table of contents."""
    level, inside, href = 0, False, ""
    label: list[str] = []
    for token in tokens(markup):
        if token.value == "nav" and token.kind != "text":
            if inside:
                return
            kind = token.attrs.get("epub:type", token.attrs.get("role", "toc"))
            inside = token.kind == "start" and "toc" in kind
        elif not inside:
            continue
        elif token.kind == "text":
            label.append(token.value)
        elif token.value == "ol":
            if token.kind == "start" and level > 0:
                yield "", "".join(label), level
            level += 1 if token.kind == "start" else -1
            label = []
        elif token.value in ("a", "li") and token.kind == "start":
            href, label = token.attrs.get("href", ""), []
        elif token.value == "a" and href:
            yield href, "".join(label), max(level, 1)
            href, label = "", []


def _ncx_labels(root: Element) -> Iterator[_Label]:
    start = next(_all(root, "navMap"), root)
    stack = [(point, 1) for point in reversed(list(start)) if _local(point) == "navPoint"]
    while stack:
        point, level = stack.pop()
        content = next((child for child in point if _local(child) == "content"), None)
        label = next((child for child in point if _local(child) == "navLabel"), None)
        if label is not None:
            href = content.get("src", "") if content is not None else ""
            yield href, "".join(label.itertext()), level
        inner = [child for child in point if _local(child) == "navPoint"]
        stack += [(child, level + 1) for child in reversed(inner)]


def _first_text(root: Element, name: str) -> str:
    text = next(("".join(element.itertext()) for element in _all(root, name)), "")
    return " ".join(clean(text).split())[:MAX_TITLE]


def _all(root: Element, name: str) -> Iterator[Element]:
    """Elements by local name: namespaces differ between EPUB 2, EPUB 3 and practice."""
    return (element for element in root.iter() if _local(element) == name)


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
