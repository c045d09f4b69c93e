"""EPUB archives for tests, built in memory."""

from __future__ import annotations

import io
import zipfile

CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" '
    'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>"
)
XHTML = "application/xhtml+xml"


def page(body: str, head: str = "<title>page</title>") -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
        f"<head>{head}</head><body>{body}</body></html>"
    )


def nav(items: str) -> str:
    return page(f'<nav epub:type="toc"><h1>目录</h1><ol>{items}</ol></nav>')


def ncx(points: str) -> str:
    return (
        '<?xml version="1.0"?><!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" '
        '"http://www.daisy.org/z3986/2005/ncx-2005-1.dtd">'
        '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1">'
        f"<navMap>{points}</navMap></ncx>"
    )


def opf(
    documents: list[str],
    *,
    title: str = "风起青州",
    extra_items: str = "",
    spine_attrs: str = "",
    apart: tuple[str, ...] = (),
    extra: str = "",
) -> str:
    items = "".join(
        f'<item id="d{n}" href="{name}" media-type="{XHTML}"/>' for n, name in enumerate(documents)
    )
    refs = "".join(
        f'<itemref idref="d{n}"{" linear=" + chr(34) + "no" + chr(34) if name in apart else ""}/>'
        for n, name in enumerate(documents)
    )
    return (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{title}</dc:title><dc:creator>林晚舟</dc:creator></metadata>"
        f"<manifest>{items}{extra_items}</manifest>"
        f"<spine{spine_attrs}>{refs}</spine>{extra}</package>"
    )


def archive(files: dict[str, str | bytes], *, container: str = CONTAINER) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        target.writestr("META-INF/container.xml", container)
        for name, content in files.items():
            target.writestr(name, content)
    return out.getvalue()


def book(
    documents: dict[str, str],
    *,
    nav_items: str = "",
    ncx_points: str = "",
    title: str = "风起青州",
    apart: tuple[str, ...] = (),
    more: dict[str, str | bytes] | None = None,
) -> bytes:
    """An EPUB of ``documents`` (name to XHTML) in that order, with a nav or an NCX if given."""
    files: dict[str, str | bytes] = {f"OEBPS/{name}": text for name, text in documents.items()}
    items, spine = "", ""
    if nav_items:
        files["OEBPS/nav.xhtml"] = nav(nav_items)
        items += f'<item id="nav" href="nav.xhtml" media-type="{XHTML}" properties="nav"/>'
    if ncx_points:
        files["OEBPS/toc.ncx"] = ncx(ncx_points)
        items += '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
        spine = ' toc="ncx"'
    files["OEBPS/content.opf"] = opf(
        list(documents), title=title, extra_items=items, spine_attrs=spine, apart=apart
    )
    return archive({**files, **(more or {})})
