"""Writing a novel as a file to take away: .docx, .epub, .md, .txt. No ORM here."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from arboris.novels.manuscript.docx import write_docx
from arboris.novels.manuscript.epub import write_epub
from arboris.novels.manuscript.plain import write_markdown, write_text
from arboris.novels.manuscript.types import Manuscript, Part

Writer = Callable[[Manuscript, IO[bytes]], None]

# Suffix: content type, and what writes it.
FORMATS: dict[str, tuple[str, Writer]] = {
    "docx": (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        write_docx,
    ),
    "epub": ("application/epub+zip", write_epub),
    "md": ("text/markdown; charset=utf-8", write_markdown),
    "txt": ("text/plain; charset=utf-8", write_text),
}

__all__ = ["FORMATS", "Manuscript", "Part"]
