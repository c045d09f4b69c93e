"""The novel's frame, the chapters before and the writer's instructions, each within its bound."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db.models import F
from django.db.models.functions import Right

from arboris.novels.models import ChapterVersion, NovelProject

from .story_so_far import StorySoFar
from .wording import Wording

# Bounds in characters.
MAX_SYNOPSIS = 4_000
MAX_INSTRUCTIONS = 20_000
ENDING = 2_000
RECENT = 8  # chapters whose summaries are told in full,
MAX_SUMMARY = 600  # each of at most this
OLDER = 6_000  # for the summaries of all chapters before those
_SHORTEST = 30  # of an older one; where there are more, some are left out evenly
_LONGEST = 120
_SENTENCE = re.compile(r"[。！？!?…]+[”’」』]*|[.!?]+[\"”’]*\s")


def clip(text: str, limit: int) -> str:
    """One line of at most ``limit`` characters."""
    line = " ".join(text[: limit * 2].split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def within(limit: int, lines: Iterable[str]) -> list[str]:
    """As many lines as fit, with a line break behind each; one that is too long is left out."""
    taken, length = [], 0
    for line in lines:
        if length + len(line) + 1 <= limit:
            taken.append(line)
            length += len(line) + 1
    return taken


def frame(project: NovelProject, wording: Wording) -> str:
    """Title, genre and synopsis, without the lines that would be empty."""
    values = {
        "title": project.title,
        "genre": project.genre,
        "synopsis": project.synopsis[:MAX_SYNOPSIS],
    }
    lines = wording.novel.split("\n")
    filled = [line for line, value in zip(lines, values.values(), strict=True) if value.strip()]
    return "\n".join(filled).format(**values)


def writer_instructions(title: str, instructions: str, wording: Wording) -> str:
    named = f"{wording.parts['title']}: {clip(title, 200)}" if title.strip() else ""
    return "\n".join(part for part in (named, instructions[:MAX_INSTRUCTIONS]) if part)


def summaries(story: StorySoFar, wording: Wording) -> str:
    """The chapters before, in their order: the latest in full, the older ones condensed."""
    rows = list(
        story.project.chapters.filter(chapter_number__lt=story.number)
        .order_by("chapter_number")
        .values_list("chapter_number", "title", "summary")
    )
    older, recent = rows[:-RECENT], rows[-RECENT:]
    lines = [_headed(row, _beginning(row[2], size), wording) for row, size in _shares(older)]
    lines = within(OLDER, lines)
    lines += [_headed(row, clip(row[2], MAX_SUMMARY), wording) for row in recent]
    return "\n".join(lines)


Row = tuple[int, str, str]


def _shares(rows: list[Row]) -> list[tuple[Row, int]]:
    """The rows that are told and how many characters each gets: all of them, or evenly spaced."""
    if not rows:
        return []
    count = min(len(rows), OLDER // (2 * _SHORTEST))  # as much again for number and title
    kept = [rows[at * len(rows) // count] for at in range(count)]
    return [(row, min(_LONGEST, OLDER // count - _SHORTEST)) for row in kept]


def _headed(row: Row, told: str, wording: Wording) -> str:
    number, title, _ = row
    return wording.chapter(number, " ".join(title.split())) + wording.colon + told


def _beginning(summary: str, limit: int) -> str:
    """The first sentence, or as much of it as there is room for."""
    found = _SENTENCE.search(summary)
    return clip(summary[: found.end()] if found else summary, limit)


def ending(story: StorySoFar) -> str:
    """The end of the last chapter's text, from where a paragraph or sentence begins."""
    versions = ChapterVersion.objects.filter(
        chapter__project=story.project,
        chapter__deleted_at=None,
        chapter__chapter_number__lt=story.number,
        number=F("chapter__version"),
    )
    # No expression in the order: the number is what the unique index is sorted by.
    text = (
        versions.order_by("-chapter__chapter_number")
        .values_list(Right("content", ENDING), flat=True)
        .first()
    )
    if text is None or len(text) < ENDING:
        return (text or "").strip()
    start = text.find("\n", 0, ENDING // 2) + 1
    if not start and (found := _SENTENCE.search(text, 0, ENDING // 2)):
        start = found.end()
    return str(text[start:]).strip()
