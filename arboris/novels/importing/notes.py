"""Footnotes and endnotes, which are no part of the story."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from arboris.novels.importing.html_text import Paragraph


def take_notes(
    documents: Iterable[tuple[str, list[Paragraph]]],
    resolve: Callable[[str, str], tuple[str, str]],
) -> list[str]:
    """Takes the notes out of the blocks of documents, by path in reading order: what is marked as
    one, and where the numbers of notes led further on (back from a note they lead to the text).

    ``resolve``: a document's path and a reference in it to the path and anchor that it means.
    """
    notes: list[str] = []
    led: set[tuple[str, str]] = set()
    for path, blocks in documents:
        told: list[Paragraph] = []
        for block in blocks:
            is_target = any((path, anchor) in led for anchor in block.ids)
            if block.note or (is_target and not block.level):
                notes.append(block.text)
            else:
                told.append(block)
            led.update(resolve(path, ref) for ref in block.refs)
        blocks[:] = told
    return notes
