"""The features of an enhanced analysis: one list, from which all else is derived.

A new feature is an entry here, and under the same key

- in each analyzer: ``analyzers.llm.tasks.TASKS`` with its words in ``prompts/zh.toml``
  and ``en.toml`` (``[tasks]``), ``analyzers.local.session.FINDERS``;
- in the story bible: its types of findings in ``findings.TYPES``, what they add in ``fold.ADD``;
- on the bible's page: ``workspace.bible.content.SECTIONS``, where it has a section of its own.

Configuration, progress, results, notifications, API and pages take it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

FeatureKey: TypeAlias = str  # a key of FEATURES


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature.

    ``key`` is its name in ``generation_config``, in results and in the database (at most 30
    characters). ``doing`` says what a running analysis does ("Charting the world"), ``updates``
    what it has updated in the end ("the world"). ``finding_types``: the types of its findings, as
    ``arboris.bible.types.findings.TYPES`` has them, and what a page calls each. ``told``: how many
    of a type there are, in words, for those that a writer wants to hear of at once. ``compares``:
    it goes along with the others, where an earlier chapter says something that the chapter may
    contradict and the analyzer can tell (``known_facts``).
    """

    key: str
    doing: str | Promise
    updates: str | Promise
    finding_types: Mapping[str, str | Promise]
    told: Mapping[str, Callable[[int], str]] = field(default_factory=dict)
    compares: bool = False


# In the order in which an analysis runs them.
FEATURES: dict[str, Feature] = {
    feature.key: feature
    for feature in (
        Feature(
            "character_tracking",
            doing=_("Following the characters"),
            updates=_("characters and their states"),
            finding_types={
                "appearance": _("Appearance"),
                "state": _("Change of state"),
                "relationship": _("Relationship"),
            },
        ),
        Feature(
            "new_character_detection",
            doing=_("Looking for new characters"),
            updates=_("new characters"),
            finding_types={"character": _("New character"), "description": _("Description")},
            told={"character": lambda n: ngettext("%d new character", "%d new characters", n) % n},
        ),
        Feature(
            "world_expansion",
            doing=_("Charting the world"),
            updates=_("the world"),
            finding_types={
                "location": _("Location"),
                "faction": _("Faction"),
                "item": _("Item"),
                "rule": _("Rule"),
            },
        ),
        Feature(
            "foreshadowing",
            doing=_("Looking for foreshadowing"),
            updates=_("foreshadowing"),
            finding_types={"foreshadowing": _("Foreshadowing"), "payoff": _("Payoff")},
            told={
                "foreshadowing": lambda n: ngettext("%d foreshadowing", "%d foreshadowings", n) % n,
                "payoff": lambda n: ngettext("%d payoff", "%d payoffs", n) % n,
            },
        ),
        Feature(
            "continuity",
            doing=_("Comparing with earlier chapters"),
            updates=_("contradictions"),
            finding_types={"contradiction": _("Contradiction")},
            compares=True,
        ),
    )
}


def finding_types() -> dict[str, str | Promise]:
    """What a page calls each type of finding, in the order in which it shows them."""
    return {
        name: title
        for feature in FEATURES.values()
        for name, title in feature.finding_types.items()
    }


def updates() -> Mapping[str, str | Promise]:
    """What each feature updates, by its key."""
    return {key: feature.updates for key, feature in FEATURES.items()}


def usual() -> list[FeatureKey]:
    """Those that every analysis has, unless they are switched off."""
    return [key for key, feature in FEATURES.items() if not feature.compares]


def told(result: Mapping[str, Any]) -> list[str]:
    """The result of an analysis (``Outcome.summary``) in a few words, in the active language."""
    counts: Mapping[str, int] = result.get("by_type", {})
    words = [
        say(counts[name])
        for feature in FEATURES.values()
        for name, say in feature.told.items()
        if counts.get(name)
    ]
    if problems := result.get("problems"):
        words.append(ngettext("%d problem", "%d problems", problems) % problems)
    return words
