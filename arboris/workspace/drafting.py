"""A text and its basic summary, made before any transaction is opened."""

from __future__ import annotations

from asgiref.sync import async_to_sync

from arboris.db import let_go
from arboris.llm.accounting.payer import Payer
from arboris.novels import model_summary
from arboris.novels import services as novels
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from arboris.workspace.chapters import Wish

WRITTEN = ChapterVersion.Source.WRITTEN


def draft_of(
    content: str,
    wish: Wish,
    project: NovelProject,
    source: ChapterVersion.Source = WRITTEN,
) -> novels.Draft:
    """One chapter's text with its summary, by the model where one makes summaries.

    That may take ARBORIS_SUMMARY_TIMEOUT seconds: no connection is held meanwhile. Of many chapters
    at once the extractive summary is enough, see ``novels.Draft.of``.
    """
    if not model_summary.wanted():
        return novels.Draft.of(content, source)
    let_go()
    summary = async_to_sync(summary_of)(content, wish, project)
    return novels.Draft.of(content, source, summary)


def changed_draft(chapter: Chapter, content: str | None, wish: Wish) -> novels.Draft | None:
    """``draft_of`` a chapter's new text, if there is one; no model sums up the same text again."""
    if content is None:
        return None
    if model_summary.wanted():
        current = chapter.current
        if current.content == content and current.source != ChapterVersion.Source.DRAFT:
            return novels.Draft.of(content)
        wish = wish.as_before(chapter.pk)
    return draft_of(content, wish, chapter.project)


async def summary_of(
    content: str, wish: Wish, project: NovelProject, *, generated: bool = False
) -> str:
    return await model_summary.summarize(
        content,
        generated=generated,
        model=(wish.config or {}).get("model_name"),
        payer=Payer("summary", project_id=project.pk, user_id=project.owner_id),
    )
