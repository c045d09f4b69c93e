"""The words of the prompt for a chapter: one data file for each language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Wording:
    rules: str  # the system message; {token} is what makes the markers
    task: str  # the user message's last line, after all material; {number}
    novel: str  # {title}, {genre}, {synopsis}
    chapter: str  # {number}, {title}
    untitled: str  # {number}
    also: str  # {names}
    at: str  # {number}: where something stands
    separator: str  # between names
    then: str  # between the parts of a line
    roles: Mapping[str, str]
    kinds: Mapping[str, str]
    parts: Mapping[str, str]
    progress: str  # {description}, {number}: how far a thread was taken


def _wording(language: str) -> Wording:
    with Path(__file__).with_name(f"{language}.toml").open("rb") as file:
        return Wording(**tomllib.load(file))


ZH = _wording("zh")
EN = _wording("en")
