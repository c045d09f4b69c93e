"""What the language model is told when it writes a chapter."""

from __future__ import annotations

from collections.abc import Iterator

from arboris.bible import service as bible_service
from arboris.llm import client, prompt_fence, prompt_versions
from arboris.llm.prompt_texts import Prompt, Words, shipped_words
from arboris.llm.routes import GENERATION
from arboris.novels.models import NovelProject

from .bible import characters, relationships, threads, world
from .material import MAX_INSTRUCTIONS, ending, frame, summaries, writer_instructions
from .story_so_far import StorySoFar
from .wording import EN, ZH, Wording

__all__ = ["MAX_INSTRUCTIONS", "messages_for", "rules_for", "texts"]


def texts() -> Iterator[Prompt]:
    """What staff may read and change."""
    for language, wording in (("zh", ZH), ("en", EN)):
        yield Prompt(GENERATION, language, wording.rules)


def rules_for(project: NovelProject) -> Words:
    """The rules of writing, as staff have changed them."""
    changed = prompt_versions.changed(project.language)
    return changed.get(GENERATION) or shipped_words(_wording(project).rules)


def _wording(project: NovelProject) -> Wording:
    return EN if project.language == "en" else ZH


def messages_for(
    project: NovelProject,
    instructions: str,
    *,
    number: int | None = None,
    title: str = "",
    rules: str | None = None,
) -> list[client.Message]:
    """System and user message for chapter ``number`` (None: after the last one).

    ``rules``: in the place of the shipped ones.

    Only what comes before that chapter is told; every part is bounded, see docs/generation.md.
    """
    wording = _wording(project)
    bible_service.fresh(project.pk)
    story = StorySoFar.before(project, number)
    last = ending(story)
    token = prompt_fence.token_for(f"{project.pk} {last} {instructions}")
    # Who and what is named here matters most, should there be too much for all.
    near = f"{instructions}\n{last}"
    people = characters(story, wording, near)
    parts = {
        "NOVEL": frame(project, wording),
        "CHARACTERS": people.text,
        "RELATIONSHIPS": relationships(story, wording, people.names),
        "WORLD": world(story, wording, near),
        "THREADS": threads(story, wording),
        "SUMMARIES": summaries(story, wording),
        "ENDING": last,
        "INSTRUCTIONS": writer_instructions(title, instructions, wording),
    }
    blocks = [prompt_fence.block(name, token, text) for name, text in parts.items()]
    system = (wording.role, wording.boundary.format(token=token), rules or wording.rules)
    blocks.append(wording.task.format(number=story.number))
    return [
        {"role": "system", "content": "\n\n".join(system)},
        {"role": "user", "content": "\n\n".join(block for block in blocks if block)},
    ]
