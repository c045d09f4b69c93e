"""Make a ChapterText of what a writer sent, before any transaction is opened."""

from __future__ import annotations

from asgiref.sync import async_to_sync

from arboris.db import let_go
from arboris.llm.accounting.admission import Payer
from arboris.novels import model_summary
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from arboris.novels.services import ChapterText
from arboris.workspace.chapters.analysis_options import AnalysisOptions


def new_text(content: str, options: AnalysisOptions, project: NovelProject) -> ChapterText:
    """Return the text with its summary, by the model where one makes summaries.

    That may take ARBORIS_SUMMARY_TIMEOUT seconds: no connection is held meanwhile. Of many chapters
    at once the extractive summary is enough, see ``ChapterText.of``.
    """
    if not model_summary.wanted():
        return ChapterText.of(content)
    let_go()
    summary = async_to_sync(summary_of)(content, options, project)
    return ChapterText.of(content, summary=summary)


def changed_text(chapter: Chapter, content: str, options: AnalysisOptions) -> ChapterText:
    """Return ``new_text`` for a chapter that exists; no model sums up the same text again."""
    if model_summary.wanted():
        current = chapter.current
        if current.content == content and current.source != ChapterVersion.Source.DRAFT:
            return ChapterText.of(content)
        options = options.as_before(chapter.pk)
    return new_text(content, options, chapter.project)


async def summary_of(
    content: str, options: AnalysisOptions, project: NovelProject, *, generated: bool = False
) -> str:
    """Return the basic summary, by the model that the options name. It never fails."""
    return await model_summary.summarize(
        content,
        generated=generated,
        model=(options.config or {}).get("model_name"),
        payer=Payer("summary", project_id=project.pk, user_id=project.owner_id),
    )
