"""The words of the prompts: one data file for each language."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from analysis.features import FeatureKey
from arboris.bible.types.findings import WorldKind


@dataclass(frozen=True, slots=True)
class Wording:
    # The system message, in this order. Staff may change the rules and the tasks (``texts``).
    role: str
    boundary: str  # {token} is the token of the markers
    rules: str
    part: str  # {number} of {total}, where a chapter is asked about in pieces
    found: str  # before what the earlier pieces have
    aliases: str  # before the other names of somebody, which follow a name in brackets
    separator: str  # between names
    chapter_of_seed: str  # {number}
    reminder: str  # the user message's last line, after all data and the task
    tasks: dict[FeatureKey, str]
    kinds: dict[WorldKind, str]
    roles: dict[str, str]  # of people; "dead" among them


def _wording(language: str) -> Wording:
    with Path(__file__).with_name(f"{language}.toml").open("rb") as file:
        return Wording(**tomllib.load(file))


ZH = _wording("zh")
EN = _wording("en")
