"""The words of the prompt for a chapter: one data file for each language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LONGEST_TITLE = 40  # characters


@dataclass(frozen=True, slots=True)
class Wording:
    # The system message, in this order. Staff may change the rules.
    role: str
    boundary: str  # {token} is what makes the markers
    rules: str
    task: str  # the user message's last line, after all material; {number}
    novel: str  # {title}, {genre}, {synopsis}
    titled: str  # {title}: what a chapter is called; the title says its number itself
    untitled: str  # {number}
    colon: str  # behind the name of a chapter
    also: str  # {names}
    at: str  # {chapter}: where something stands
    separator: str  # between names
    then: str  # between the parts of a line
    roles: Mapping[str, str]
    kinds: Mapping[str, str]
    parts: Mapping[str, str]
    progress: str  # {description}, {chapter}: how far a thread was taken

    def chapter(self, number: int, title: str) -> str:
        """What a chapter is called; ``title`` is cut to LONGEST_TITLE."""
        if not title.strip():
            return self.untitled.format(number=number)
        short = title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"
        return self.titled.format(title=short)


def _wording(language: str) -> Wording:
    with Path(__file__).with_name(f"{language}.toml").open("rb") as file:
        return Wording(**tomllib.load(file))


ZH = _wording("zh")
EN = _wording("en")
