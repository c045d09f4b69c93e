"""Texts that staff have put in the place of shipped ones: a row a change, the latest counts."""

from __future__ import annotations

from django.db.models import Max

from arboris.llm.models import PromptVersion
from arboris.llm.prompt_texts import Words


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
