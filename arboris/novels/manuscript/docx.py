"""The manuscript as a Word document.

python-docx makes the package and its styles; the body is written as it is read, for a tree of a
long novel would take hundreds of megabytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor

from arboris.novels.manuscript.blocks import blocks
from arboris.novels.manuscript.types import Block, Manuscript, Span
from arboris.novels.manuscript.xml import escaped, for_xml
from arboris.novels.manuscript.zips import FixedZip

_BODY = "word/document.xml"
_END = b"<w:sectPr"  # the page's measures, after which nothing of the text comes
_FONTS = {"zh": ("Times New Roman", "宋体"), "en": ("Times New Roman", "Times New Roman")}
_DEEPEST = 9
_PROPERTY_CHARS = 255  # python-docx takes no more


def write_docx(novel: Manuscript, target: IO[bytes]) -> None:
    package = io.BytesIO()
    _template(novel).save(package)
    with zipfile.ZipFile(package) as made, FixedZip(target) as out:
        for info in made.infolist():
            data = made.read(info)
            if info.filename == _BODY:
                before, end, after = data.partition(_END)
                out.stream(_BODY, _around(before, _body(novel), end + after))
            else:
                out.add(info.filename, data)


def _around(before: bytes, body: Iterator[str], after: bytes) -> Iterator[str | bytes]:
    yield before
    yield from body
    yield after


def _template(novel: Manuscript) -> Any:
    document = Document()
    about = document.core_properties
    about.title, about.author = (
        for_xml(text)[:_PROPERTY_CHARS] for text in (novel.title, novel.author)
    )
    about.language = novel.language
    about.identifier = novel.identifier
    about.comments = about.last_modified_by = ""
    about.created = about.modified = novel.modified.replace(microsecond=0, tzinfo=None)
    latin, asian = _FONTS[novel.language]
    styles: Any = document.styles
    text = styles["Body Text"]
    chapters = [styles[f"Heading {level}"] for level in range(1, _DEEPEST + 1)]
    for style in (styles["Normal"], styles["Title"], styles["Subtitle"], *chapters):
        _set_fonts(style, latin, asian)
    for style in (styles["Title"], styles["Subtitle"]):
        style.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for style in chapters[: 2 if novel.in_volumes else 1]:
        style.paragraph_format.page_break_before = True
    text.paragraph_format.line_spacing = 1.5
    text.paragraph_format.space_after = Pt(0)
    indent = text.paragraph_format.element.get_or_add_pPr().get_or_add_ind()
    # Two characters of whatever size; Word takes firstLine where it knows no characters.
    indent.set(qn("w:firstLineChars"), "200" if novel.language == "zh" else "150")
    indent.set(qn("w:firstLine"), "480" if novel.language == "zh" else "360")
    scene = styles.add_style("Scene Break", WD_STYLE_TYPE.PARAGRAPH)
    scene.base_style = styles["Normal"]
    scene.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    scene.paragraph_format.space_before = scene.paragraph_format.space_after = Pt(12)
    return document


def _set_fonts(style: Any, latin: str, asian: str) -> None:
    style.font.name = latin
    style.font.color.rgb = RGBColor(0, 0, 0)
    fonts = style.element.rPr.rFonts
    for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        fonts.attrib.pop(qn(theme), None)
    fonts.set(qn("w:eastAsia"), asian)


def _body(novel: Manuscript) -> Iterator[str]:
    if novel.title_page:
        for style, line in (("Title", novel.title), ("Subtitle", novel.author)):
            if line:
                yield _paragraph(style, (Span(line),))
        for block in blocks(novel.synopsis):
            yield _block(block, 0)
    level = 2 if novel.in_volumes else 1
    for part, text in novel.chapters():
        if part.volume:
            yield _paragraph("Heading1", (Span(part.volume),))
        # The first chapter of a volume stands on its page.
        yield _paragraph(f"Heading{level}", (Span(part.title),), new_page=not part.volume)
        for block in blocks(text):
            yield _block(block, level)


def _block(block: Block, level: int) -> str:
    if block.kind == "break":
        return _paragraph("SceneBreak", (Span("* * *"),))
    if block.kind == "heading":
        return _paragraph(f"Heading{min(_DEEPEST, level + block.level)}", block.spans)
    return _paragraph("BodyText", block.spans)


def _paragraph(style: str, spans: tuple[Span, ...], *, new_page: bool = True) -> str:
    runs = "".join(map(_run, spans))
    same_page = "" if new_page else '<w:pageBreakBefore w:val="0"/>'
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{same_page}</w:pPr>{runs}</w:p>'


def _run(span: Span) -> str:
    style = "<w:b/>" * span.bold + "<w:i/>" * span.italic
    look = f"<w:rPr>{style}</w:rPr>" if style else ""
    return f'<w:r>{look}<w:t xml:space="preserve">{escaped(span.text)}</w:t></w:r>'
