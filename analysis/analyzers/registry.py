"""Analyzers by name: dotted paths in settings, imported and built on first use, one per process."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from analysis.analyzers.base import Analyzer
from analysis.errors import AnalyzerUnavailable


@cache
def get(name: str) -> Analyzer:
    """Return the analyzer ``name`` of ARBORIS_ANALYZERS. Raises AnalyzerUnavailable."""
    try:
        kind = import_string(settings.ARBORIS_ANALYZERS[name])
    except (KeyError, ImportError) as error:
        raise AnalyzerUnavailable(f"analyzer {name!r}: {error}") from error
    analyzer: Analyzer = kind()
    return analyzer
