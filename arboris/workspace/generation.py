"""Writing a chapter with the configured language model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from arboris.bible.models import Character
from arboris.llm import client
from arboris.novels.models import NovelProject

SUMMARIES = 8  # of the chapters before; older ones reach the model through the characters


def messages_for(project: NovelProject, instructions: str) -> list[client.Message]:
    """What the model is told: the novel's frame, who is in it, what happened, what is wanted."""
    language = "English" if project.language == "en" else "Simplified Chinese"
    parts = [
        f"Title: {project.title}",
        f"Genre: {project.genre}" if project.genre else "",
        f"Synopsis: {project.synopsis}" if project.synopsis else "",
    ]
    people = Character.objects.filter(project=project).order_by("-mentions")[:30]
    if people:
        parts.append(
            "Characters: " + "; ".join(f"{p.name} {p.description}".strip() for p in people)
        )
    recent = list(project.chapters.order_by("-chapter_number")[:SUMMARIES])[::-1]
    parts += [f"Chapter {row.chapter_number}: {row.summary}" for row in recent]
    parts.append(f"Instructions: {instructions}" if instructions else "")
    system = (
        f"You are a novelist. Write the next chapter of this novel in {language}. "
        "Answer with the text of the chapter alone."
    )
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": "\n\n".join(part for part in parts if part)},
    ]


def write(messages: list[client.Message], config: dict[str, Any]) -> AsyncIterator[str]:
    """The chapter, piece by piece."""
    return client.stream(
        messages, model=config.get("model_name"), temperature=config.get("temperature")
    )
