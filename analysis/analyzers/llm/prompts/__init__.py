"""The messages to the model: the rules, then the data, then the task of one feature.

All features of a chapter have the same beginning, up to the task: endpoints keep it and charge less
for it the next time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analysis.analyzers.base import ChapterInput, KnownCharacter, KnownFact, OpenThread
from analysis.analyzers.llm.chunks import Chunk
from analysis.features import FEATURES, FeatureKey
from arboris.bible.types.findings import (
    DEAD,
    Appearance,
    Finding,
    Foreshadowing,
    NewCharacter,
    WorldFact,
)
from arboris.llm import prompt_fence
from arboris.llm.client import Message
from arboris.llm.prompt_texts import Words, shipped_words
from arboris.llm.routes import ANALYSIS

from .wording import EN, ZH, Wording

__all__ = ["messages", "open_threads", "told_facts", "version"]

# Characters of what is known, told with each chapter however long the novel is.
PEOPLE_LIMIT, ENTITIES_LIMIT, THREADS_LIMIT = 2_500, 1_500, 2_500
FOUND_LIMIT = 1_500  # told with the later pieces of a long chapter
FACTS_LIMIT = 2_500  # told with the question that compares
ALWAYS_TOLD = 5  # people who are named most, also where the chapter does not name them
QUOTE_SHOWN = 60  # characters of a seed's or a fact's quote
FACT_SHOWN = 60


def messages(
    chapter: ChapterInput,
    feature: FeatureKey,
    chunk: Chunk,
    number: int,
    total: int,
    found: Sequence[Finding] = (),
) -> list[Message]:
    """System and user message for one feature and one piece of a chapter (``number`` from 1).

    ``found``: by the same question in the pieces before it.
    """
    wording = _wording(chapter)
    token = prompt_fence.token_for(f"{chapter.title}\n{chapter.text}")
    known = "\n".join(filter(None, (_people(chapter, wording), _entities(chapter, wording))))
    parts = [
        prompt_fence.block("KNOWN", token, known),
        prompt_fence.block("THREADS", token, _threads(chapter, wording)),
        prompt_fence.block("TITLE", token, chapter.title),
        wording.part.format(number=number, total=total) if total > 1 else "",
        prompt_fence.block("CHAPTER", token, chapter.text[chunk.start : chunk.end]),
        # What one question alone needs comes behind what they have in common.
        *_found(chapter, chunk, found, token),
        prompt_fence.block("FACTS", token, _facts(chapter, feature, wording)),
        prompt_fence.block("TASK", token, task(chapter, feature).text),
        wording.reminder,
    ]
    return [
        {"role": "system", "content": _system(chapter, wording, token)},
        {"role": "user", "content": "\n\n".join(part for part in parts if part)},
    ]


def version(chapter: ChapterInput, feature: FeatureKey) -> str:
    """The version of the words of one question: the rules' and the task's."""
    return f"{rules(chapter).version}/{task(chapter, feature).version}"


def rules(chapter: ChapterInput) -> Words:
    return chapter.prompts.get(ANALYSIS) or shipped_words(_wording(chapter).rules)


def task(chapter: ChapterInput, feature: FeatureKey) -> Words:
    return chapter.prompts.get(feature) or shipped_words(_wording(chapter).tasks[feature])


def _system(chapter: ChapterInput, wording: Wording, token: str) -> str:
    return "\n\n".join((wording.role, wording.boundary.format(token=token), rules(chapter).text))


def open_threads(chapter: ChapterInput) -> dict[int, int]:
    """The number by which the prompt calls a thread, and its place in ``chapter.open_threads``.

    Those whose keywords the chapter has go first, then the latest, as many as there is room for.
    """
    threads = chapter.open_threads
    wanted = sorted(
        range(len(threads)),
        key=lambda at: (-_shared(threads[at], chapter.text), -threads[at].chapter_number, at),
    )
    lines = ((at, _thread(1, threads[at], _wording(chapter))) for at in wanted)
    taken = [at for at, _ in _within(THREADS_LIMIT, lines)]
    return dict(enumerate(sorted(taken, key=lambda at: (threads[at].chapter_number, at)), 1))


def told_facts(chapter: ChapterInput) -> dict[int, KnownFact]:
    """The facts of earlier chapters by the numbers that the prompt gives them."""
    facts = enumerate(chapter.known_facts, 1)
    wording = _wording(chapter)
    lines = ((number, _fact(number, fact, wording)) for number, fact in facts)
    taken = _within(FACTS_LIMIT, lines)
    return {number: chapter.known_facts[number - 1] for number, _ in taken}


def _wording(chapter: ChapterInput) -> Wording:
    return ZH if chapter.language == "zh" else EN


def _people(chapter: ChapterInput, wording: Wording) -> str:
    known = chapter.known_characters
    named = [one for one in known if _is_named(chapter.text, (one.name, *one.aliases))]
    told = named + [one for one in known[:ALWAYS_TOLD] if one not in named]
    return _joined(PEOPLE_LIMIT, (_person(one, wording) for one in told))


def _person(person: KnownCharacter, wording: Wording) -> str:
    about = [wording.roles.get(person.role, ""), wording.roles["dead"] if person.dead else ""]
    said = "".join(f" · {word}" for word in about if word)
    return f"id={person.id} {person.name}{_also(person.aliases, wording)}{said}"


def _entities(chapter: ChapterInput, wording: Wording) -> str:
    return _joined(
        ENTITIES_LIMIT,
        (
            f"{wording.kinds[one.kind]} {one.name}{_also(one.aliases, wording)}"
            for one in chapter.known_entities
            if _is_named(chapter.text, (one.name, *one.aliases))
        ),
    )


def _threads(chapter: ChapterInput, wording: Wording) -> str:
    return "\n".join(
        _thread(number, chapter.open_threads[at], wording)
        for number, at in open_threads(chapter).items()
    )


def _thread(number: int, thread: OpenThread, wording: Wording) -> str:
    where = wording.chapter_of_seed.format(number=thread.chapter_number)
    return f"{number}. [{where}] {thread.description} — {thread.quote[:QUOTE_SHOWN]}"


def _facts(chapter: ChapterInput, feature: FeatureKey, wording: Wording) -> str:
    if not FEATURES[feature].compares:
        return ""
    facts = told_facts(chapter).items()
    return "\n".join(_fact(number, fact, wording) for number, fact in facts)


def _found(
    chapter: ChapterInput, chunk: Chunk, found: Sequence[Finding], token: str
) -> tuple[str, ...]:
    """Whom, what and which threads earlier pieces have; those that this piece names go first."""
    wording, text = _wording(chapter), chapter.text[chunk.start : chunk.end]
    lines: dict[str, bool] = {}
    for one in found:
        if isinstance(one, Appearance | NewCharacter | WorldFact):
            line = f"{one.name}{_also(tuple(one.aliases), wording)}"
            lines[line] = _is_named(text, (one.name, *one.aliases))
        elif isinstance(one, Foreshadowing):
            lines[one.description] = _is_named(text, tuple(one.keywords))
    told = _joined(FOUND_LIMIT, sorted(lines, key=lambda line: not lines[line]))
    return (wording.found, prompt_fence.block("FOUND", token, told)) if told else ()


def _fact(number: int, fact: KnownFact, wording: Wording) -> str:
    where = wording.chapter_of_seed.format(number=fact.chapter_number)
    said = wording.roles["dead"] if fact.aspect == DEAD else fact.said
    return f"{number}. [{where}] {fact.person}: {said[:FACT_SHOWN]} — {fact.quote[:QUOTE_SHOWN]}"


def _shared(thread: OpenThread, text: str) -> int:
    return sum(word in text for word in thread.keywords)


def _is_named(text: str, names: tuple[str, ...]) -> bool:
    return any(name in text for name in names)


def _also(aliases: tuple[str, ...], wording: Wording) -> str:
    return f" ({wording.aliases} {wording.separator.join(aliases)})" if aliases else ""


def _joined(limit: int, lines: Iterable[str]) -> str:
    return "\n".join(line for _, line in _within(limit, enumerate(lines)))


def _within(limit: int, lines: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """As many lines as fit."""
    taken: list[tuple[int, str]] = []
    length = 0
    for number, line in lines:
        length += len(line) + 1
        if length > limit:
            break
        taken.append((number, line))
    return taken
