"""What the model is told: rules and task as the system message, all data apart from them."""

from __future__ import annotations

from collections.abc import Iterable

from analysis.analyzers.base import ChapterInput
from analysis.analyzers.llm.chunks import Chunk
from arboris.bible.findings import Feature
from arboris.llm import prompt_fence
from arboris.llm.client import Message

from .en import EN
from .wording import Wording
from .zh import ZH

__all__ = ["messages", "open_threads"]

KNOWN_LIMIT = 8_000  # characters of the list of what is known
THREADS_LIMIT = 100  # the latest seeds; older ones are linked by their keywords


def messages(
    chapter: ChapterInput, feature: Feature, chunk: Chunk, number: int, total: int
) -> list[Message]:
    """System and user message for one feature and one piece of a chapter (``number`` from 1)."""
    wording = ZH if chapter.language == "zh" else EN
    token = prompt_fence.new_token()
    text = chapter.text[chunk.start : chunk.end]
    parts = [
        prompt_fence.block("KNOWN", token, _known(chapter, feature, text, wording)),
        prompt_fence.block(
            "THREADS", token, _threads(chapter, wording) if feature == "foreshadowing" else ""
        ),
        prompt_fence.block("TITLE", token, chapter.title),
        wording.part.format(number=number, total=total) if total > 1 else "",
        prompt_fence.block("CHAPTER", token, text),
        wording.reminder,
    ]
    system = f"{wording.rules.format(token=token)}\n\n{wording.tasks[feature]}"
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": "\n\n".join(part for part in parts if part)},
    ]


def _known(chapter: ChapterInput, feature: Feature, text: str, wording: Wording) -> str:
    if feature == "foreshadowing":
        return ""
    if feature == "world_expansion":
        entries = [
            (entity.name, entity.aliases, f"{wording.kinds[entity.kind]} {entity.name}")
            for entity in chapter.known_entities
        ]
    else:
        entries = [
            (person.name, person.aliases, f"id={person.id} {person.name}")
            for person in chapter.known_characters
        ]
    # Who is named in the text comes first, should the list be too long for all.
    entries.sort(key=lambda entry: not any(name in text for name in (entry[0], *entry[1])))
    return _within(
        KNOWN_LIMIT, (f"{shown}{_also(aliases, wording)}" for _, aliases, shown in entries)
    )


def _also(aliases: tuple[str, ...], wording: Wording) -> str:
    return f" ({wording.aliases} {wording.separator.join(aliases)})" if aliases else ""


def open_threads(chapter: ChapterInput) -> dict[int, int]:
    """The number by which the prompt calls a thread, and its place in ``chapter.open_threads``."""
    places = sorted(
        range(len(chapter.open_threads)),
        key=lambda place: chapter.open_threads[place].chapter_number,
    )[-THREADS_LIMIT:]
    return dict(enumerate(places, 1))


def _threads(chapter: ChapterInput, wording: Wording) -> str:
    lines = []
    for number, place in open_threads(chapter).items():
        thread = chapter.open_threads[place]
        where = wording.chapter_of_seed.format(number=thread.chapter_number)
        lines.append(f"{number}. [{where}] {thread.description} — {thread.quote[:200]}")
    return "\n".join(lines)


def _within(limit: int, lines: Iterable[str]) -> str:
    """As many lines as fit."""
    taken, length = [], 0
    for line in lines:
        length += len(line) + 1
        if length > limit:
            break
        taken.append(line)
    return "\n".join(taken)
