"""The messages to the model: rules and task in the system message, data in the user message."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from analysis.analyzers.base import ChapterInput
from analysis.analyzers.llm.chunks import Chunk
from analysis.features import FeatureKey
from arboris.llm import prompt_fence
from arboris.llm.client import Message

from .wording import EN, ZH, Wording

__all__ = [
    "Told",
    "known_characters",
    "known_entities",
    "known_threads",
    "messages",
    "open_threads",
]

Block: TypeAlias = tuple[str, str]  # a name for the markers, and what stands between them
# What the model is told of the bible, for a piece of the chapter (its text) in a language.
Told: TypeAlias = Callable[[ChapterInput, str, Wording], Block]

KNOWN_LIMIT = 8_000  # characters of the list of what is known
THREADS_LIMIT = 100  # the latest seeds; older ones are linked by their keywords


def messages(
    chapter: ChapterInput, feature: FeatureKey, told: Told, chunk: Chunk, number: int, total: int
) -> list[Message]:
    """System and user message for one feature and one piece of a chapter (``number`` from 1)."""
    wording = ZH if chapter.language == "zh" else EN
    token = prompt_fence.new_token()
    text = chapter.text[chunk.start : chunk.end]
    name, known = told(chapter, text, wording)
    parts = [
        prompt_fence.block(name, token, known),
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


def known_characters(chapter: ChapterInput, text: str, wording: Wording) -> Block:
    entries = [
        (person.name, person.aliases, f"id={person.id} {person.name}")
        for person in chapter.known_characters
    ]
    return "KNOWN", _listed(entries, text, wording)


def known_entities(chapter: ChapterInput, text: str, wording: Wording) -> Block:
    entries = [
        (entity.name, entity.aliases, f"{wording.kinds[entity.kind]} {entity.name}")
        for entity in chapter.known_entities
    ]
    return "KNOWN", _listed(entries, text, wording)


def known_threads(chapter: ChapterInput, text: str, wording: Wording) -> Block:
    return "THREADS", _threads(chapter, wording)


def _listed(entries: list[tuple[str, tuple[str, ...], str]], text: str, wording: Wording) -> str:
    # First who is named in the text: the list may be too long for all.
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
