"""The features of an enhanced analysis: one list, from which all else is derived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature.

    ``key`` is its name in ``generation_config``, in results and in the database (at most 30
    characters). ``doing`` says what a running analysis does ("Charting the world"), ``updates``
    what it has updated in the end ("the world").
    """

    key: str
    doing: str | Promise
    updates: str | Promise


# In the order in which an analysis runs them.
FEATURES: dict[str, Feature] = {
    feature.key: feature
    for feature in (
        Feature(
            "character_tracking",
            doing=_("Following the characters"),
            updates=_("characters and their states"),
        ),
        Feature(
            "new_character_detection",
            doing=_("Looking for new characters"),
            updates=_("new characters"),
        ),
        Feature(
            "world_expansion",
            doing=_("Charting the world"),
            updates=_("the world"),
        ),
        Feature(
            "foreshadowing",
            doing=_("Looking for foreshadowing"),
            updates=_("foreshadowing"),
        ),
    )
}


def updates() -> Mapping[str, str | Promise]:
    """What each feature updates, by its key."""
    return {key: feature.updates for key, feature in FEATURES.items()}
