"""An EPUB's own description: reading order, title and table of contents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from django.utils.translation import gettext as _

from arboris.novels.importing.archive import Archive, bad_epub, drm, resolve
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


@dataclass(frozen=True, slots=True)
class TocEntry:
    path: str
    fragment: str  # empty: the document as a whole
    title: str
    level: int  # 1 is the outermost


@dataclass(frozen=True, slots=True)
class Package:
    """``documents`` are entry names in reading order; ``apart`` those outside of it."""

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


def read_package(archive: Archive) -> Package:
    """Raises NovelImportError: ``drm``, or ``bad_epub`` where a needed part is missing."""
    _refuse_drm(archive)
    root = archive.xml(_CONTAINER)
    rootfile = next((e.get("full-path", "") for e in _all(root, "rootfile")), "")
    if not rootfile:
        raise bad_epub(_("it names no package document"))
    opf_path, _fragment = resolve("", rootfile)
    opf = archive.xml(opf_path)
    items = _manifest(opf, opf_path)
    spine = next(_all(opf, "spine"), None)
    if spine is None:
        raise bad_epub(_("it has no reading order"))
    contents = _contents_paths(opf, opf_path, items)
    documents: list[str] = []
    apart: list[str] = []
    for ref in _all(spine, "itemref"):
        item = items.get(ref.get("idref", ""))
        if item is None or item.media_type not in _XHTML or item.path in contents:
            continue
        target = apart if ref.get("linear") == "no" else documents
        if item.path not in target:
            target.append(item.path)
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


def _manifest(opf: Element, opf_path: str) -> dict[str, _Item]:
    items: dict[str, _Item] = {}
    for item in _all(opf, "item"):
        href = item.get("href", "")
        if not href or "://" in href:
            continue
        path, _fragment = resolve(opf_path, href)
        properties = frozenset(item.get("properties", "").split())
        items[item.get("id", "")] = _Item(path, item.get("media-type", ""), properties)
    return items


def _contents_paths(opf: Element, opf_path: str, items: dict[str, _Item]) -> set[str]:
    """Documents that are a table of contents: the nav document and what the guide says."""
    paths = {item.path for item in items.values() if "nav" in item.properties}
    for reference in _all(opf, "reference"):
        if reference.get("type") == "toc" and reference.get("href"):
            path, fragment = resolve(opf_path, reference.get("href", ""))
            if not fragment:
                paths.add(path)
    return paths


def _toc(archive: Archive, items: dict[str, _Item], ncx_id: str) -> list[TocEntry]:
    nav = next((item for item in items.values() if "nav" in item.properties), None)
    if nav and nav.path in archive:
        entries = list(_nav_entries(decode_markup(archive.read(nav.path)), nav.path))
        if entries:
            return entries
    ncx = items.get(ncx_id) or next(
        (item for item in items.values() if item.media_type == "application/x-dtbncx+xml"), None
    )
    if ncx and ncx.path in archive:
        return list(_ncx_entries(archive.xml(ncx.path), ncx.path))
    return []


def _nav_entries(markup: str, base: str) -> Iterator[TocEntry]:
    """The links of the first ``nav`` that is the table of contents."""
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
            level += 1 if token.kind == "start" else -1
        elif token.value == "a" and token.kind == "start":
            href, label = token.attrs.get("href", ""), []
        elif token.value == "a" and href:
            yield from _entry(base, href, "".join(label), level)
            href = ""


def _ncx_entries(root: Element, base: str) -> Iterator[TocEntry]:
    start = next(_all(root, "navMap"), root)
    stack = [(point, 1) for point in reversed(list(start)) if _local(point) == "navPoint"]
    while stack:
        point, level = stack.pop()
        content = next((child for child in point if _local(child) == "content"), None)
        label = next((child for child in point if _local(child) == "navLabel"), None)
        if content is not None and label is not None:
            yield from _entry(base, content.get("src", ""), "".join(label.itertext()), level)
        inner = [child for child in point if _local(child) == "navPoint"]
        stack += [(child, level + 1) for child in reversed(inner)]


def _entry(base: str, href: str, label: str, level: int) -> Iterator[TocEntry]:
    title = " ".join(clean(label).split())
    if title and href and "://" not in href:
        path, fragment = resolve(base, href)
        yield TocEntry(path, fragment, title[:MAX_TITLE], max(level, 1))


def _first_text(root: Element, name: str) -> str:
    text = next(("".join(element.itertext()) for element in _all(root, name)), "")
    return " ".join(clean(text).split())[:MAX_TITLE]


def _all(root: Element, name: str) -> Iterator[Element]:
    """Elements by local name: namespaces differ between EPUB 2, EPUB 3 and practice."""
    return (element for element in root.iter() if _local(element) == name)


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
