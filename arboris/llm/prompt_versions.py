"""Texts that staff have put in the place of shipped ones: a row a change, the latest counts."""

from __future__ import annotations

from django.db.models import Max

from arboris.llm.models import PromptVersion
from arboris.llm.prompt_texts import Prompt, Words


def changed(language: str) -> dict[str, Words]:
    """The texts that are not the shipped ones now, by key; in one query."""
    latest = (
        PromptVersion.objects.filter(language=language)
        .order_by()
        .values("key")
        .annotate(latest=Max("pk"))
        .values("latest")
    )
    rows = PromptVersion.objects.filter(pk__in=latest).exclude(text="")
    return {row.key: Words(row.text, f"#{row.pk}") for row in rows}


def now(prompt: Prompt) -> Words:
    """The words that count."""
    return changed(prompt.language).get(prompt.key) or prompt.words


def put(prompt: Prompt, text: str, *, by: str, note: str = "") -> PromptVersion | None:
    """Have ``text`` count from now on, or the shipped one where it is empty.

    None, and nothing is written, where it counts already.
    """
    if (text or prompt.shipped) == now(prompt).text:
        return None
    return PromptVersion.objects.create(
        key=prompt.key,
        language=prompt.language,
        text="" if text == prompt.shipped else text,
        created_by=by[:200],
        note=note,
    )
