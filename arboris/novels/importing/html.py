"""A page of HTML, as word processors and writing programs save it, to marked text."""

from __future__ import annotations

from arboris.novels.importing.blocks import mark_document
from arboris.novels.importing.decode import clean, decode_markup
from arboris.novels.importing.html_text import paragraphs, tokens
from arboris.novels.importing.notes import take_notes
from arboris.novels.importing.types import MAX_TITLE, ImportLimits, MarkedText


def read_html(data: bytes, limits: ImportLimits) -> MarkedText:
    decoded = decode_markup(data)
    markup = decoded.text
    blocks = paragraphs(markup)
    for block in blocks:
        block.text = clean(block.text)  # character references may name controls
    notes = take_notes([("", blocks)], lambda path, ref: (path, ref.partition("#")[2]))
    marked = mark_document(block for block in blocks if block.text.strip())
    marked.title = marked.title or _title(markup)
    marked.set_aside += notes + decoded.broken
    return marked


def _title(markup: str) -> str:
    inside = False
    for token in tokens(markup):
        if token.value == "title" and token.kind in ("start", "end"):
            inside = token.kind == "start"
        elif inside and token.kind == "text":
            return " ".join(clean(token.value).split())[:MAX_TITLE]
        elif token.value == "body":
            break
    return ""
