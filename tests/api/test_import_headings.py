"""Small books of many kinds, previewed: which chapters there are, and where they begin and end."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from arboris.novels.models import NovelProject
from tests.factories import JsonClient
from tests.novels.heading_books import NAME, PARAGRAPHS, Book, books

pytestmark = pytest.mark.sqlite_only
BOOKS = {
    (file, kind): found
    for file in ("heading_books.txt", "heading_books_more.txt")
    for kind, found in books(file).items()
}


@pytest.mark.parametrize("kind", BOOKS, ids=" ".join)
def test_a_series_of_headings_is_seen(
    api: JsonClient, project: NovelProject, kind: tuple[str, str]
) -> None:
    wrong = [book.about for book in BOOKS[kind] if not is_found(book, look(api, project, book))]
    assert wrong == []


def is_found(book: Book, found: list[tuple[str, int]]) -> bool:
    return len(found) == len(book.chapters) and all(
        "".join(part.split()) in "".join(title.split()) and length == size
        for (part, size), (title, length) in zip(book.chapters, found, strict=True)
    )


def look(api: JsonClient, project: NovelProject, book: Book) -> list[tuple[str, int]]:
    body: dict[str, Any] = {"file": SimpleUploadedFile(f"{NAME}.txt", book.text.encode())}
    answer = api.post(f"/api/projects/{project.pk}/import?preview=1", body, format="multipart")
    assert answer.status_code == 200, answer.content
    return [(row["title"], row["length"]) for row in answer.json()["chapters"]]


ZH, EN = PARAGRAPHS["zh"], PARAGRAPHS["en"]
SCRIPT = [row for at in range(20) for row in ("林渡：", ZH[at % 12], "苏晚：", ZH[(at + 5) % 12])]
UNPARTED = {
    "a script": "\n\n".join(SCRIPT),
    "scenes": "\n\n***\n\n".join("\n\n".join(ZH[at:]) for at in (0, 3, 5, 1)),
    "scenes apart": "\n\n\n".join("\n".join(ZH[at:]) for at in (0, 3, 5, 1)),
}


@pytest.mark.parametrize("text", UNPARTED.values(), ids=UNPARTED)
def test_a_text_without_headings_is_one(api: JsonClient, project: NovelProject, text: str) -> None:
    assert [title for title, _length in look(api, project, Book("", text, []))] == [NAME]
