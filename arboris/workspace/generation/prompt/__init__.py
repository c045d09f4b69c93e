"""What the language model is told when it writes a chapter."""

from __future__ import annotations

from arboris.bible import service as bible_service
from arboris.llm import client, prompt_fence
from arboris.novels.models import NovelProject

from .before import Before
from .bible import characters, relationships, threads, world
from .material import MAX_WISHES, ending, frame, summaries, wishes
from .wording import EN, ZH

__all__ = ["MAX_WISHES", "messages_for"]


def messages_for(
    project: NovelProject, instructions: str, *, number: int | None = None, title: str = ""
) -> list[client.Message]:
    """System and user message for chapter ``number`` (None: after the last one).

    Only what comes before that chapter is told; every part is bounded, see docs/generation.md.
    """
    wording = EN if project.language == "en" else ZH
    bible_service.fresh(project.pk)
    before = Before.chapter(project, number)
    token = prompt_fence.new_token()
    last = ending(before)
    # Who and what is named here matters most, should there be too much for all.
    near = f"{instructions}\n{last}"
    people = characters(before, wording, near)
    parts = {
        "NOVEL": frame(project, wording),
        "CHARACTERS": people.text,
        "RELATIONSHIPS": relationships(before, wording, people.names),
        "WORLD": world(before, wording, near),
        "THREADS": threads(before, wording),
        "SUMMARIES": summaries(before, wording),
        "ENDING": last,
        "WISHES": wishes(title, instructions, wording),
    }
    blocks = [prompt_fence.block(name, token, text) for name, text in parts.items()]
    blocks.append(wording.task.format(number=before.number))
    return [
        {"role": "system", "content": wording.rules.format(token=token)},
        {"role": "user", "content": "\n\n".join(block for block in blocks if block)},
    ]
