"""What a model is asked for: each has a route, see ``arboris.llm.routes``."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analysis.features import FEATURES
from arboris.llm.effort import ANY
from arboris.llm.routes import ANALYSIS, GENERATION, SUMMARY

PURPOSES = (ANY, ANALYSIS, *FEATURES, SUMMARY, GENERATION)


def names() -> dict[str, str | Promise]:
    """What staff are shown for each, in the active language."""
    return {
        ANY: _("everything"),
        ANALYSIS: _("analysis, all features"),
        **{key: feature.doing for key, feature in FEATURES.items()},
        SUMMARY: _("a chapter's summary"),
        GENERATION: _("writing a chapter"),
    }
