"""The offline analyzer: no network, no downloads, the same findings for the same text."""

from __future__ import annotations

from analysis.analyzers.base import Analyzer, ChapterInput, Session

from .session import LocalSession

__all__ = ["LocalAnalyzer", "LocalSession"]


class LocalAnalyzer(Analyzer):
    """Names by model and rules, everything else by patterns; models load on first use."""

    name = "local"
    costs_nothing = True

    def open(self, chapter: ChapterInput) -> Session:
        return LocalSession(chapter)
