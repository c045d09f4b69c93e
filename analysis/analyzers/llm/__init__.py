"""The analyzer that asks a language model: any OpenAI-compatible endpoint, set by ARBORIS_LLM_*."""

from __future__ import annotations

from analysis.analyzers.base import Analyzer, ChapterInput, Session
from arboris.llm.configured import missing_settings
from arboris.llm.errors import NotConfigured

from .session import LLMSession

__all__ = ["LLMAnalyzer", "LLMSession"]


class LLMAnalyzer(Analyzer):
    """One structured call for each feature and piece of the chapter, the features side by side."""

    name = "llm"
    compares = True

    def open(self, chapter: ChapterInput) -> Session:
        if missing := missing_settings():
            raise NotConfigured(", ".join(missing))
        return LLMSession(chapter)
