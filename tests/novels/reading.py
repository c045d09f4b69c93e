"""Novels read from texts and bytes, for tests."""

from __future__ import annotations

import pytest

from arboris.novels.importing import ImportedNovel, ImportLimits, NovelImportError, parse_novel


def titles(novel: ImportedNovel) -> list[str]:
    return [chapter.title for chapter in novel.chapters]


def txt(text: str, name: str = "小说.txt") -> ImportedNovel:
    return parse_novel(name, text.encode())


def md(text: str) -> ImportedNovel:
    return parse_novel("novel.md", text.encode())


def code_of(filename: str, data: bytes, limits: ImportLimits | None = None) -> str:
    with pytest.raises(NovelImportError) as caught:
        parse_novel(filename, data, limits or ImportLimits())
    assert str(caught.value) == caught.value.message != ""
    assert caught.value.field == "file"
    return caught.value.code
