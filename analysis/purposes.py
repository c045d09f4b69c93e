"""What a model is asked for: each has a route, see ``arboris.llm.routes``."""

from __future__ import annotations

from analysis.features import FEATURES
from arboris.llm.effort import ANY
from arboris.llm.routes import ANALYSIS, GENERATION, SUMMARY

PURPOSES = (ANY, ANALYSIS, *FEATURES, SUMMARY, GENERATION)
