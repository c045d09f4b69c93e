"""Runs of text in one style as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

BREAK = "***"  # a scene break


@dataclass(frozen=True, slots=True)
class Run:
    text: str
    italic: bool = False
    bold: bool = False


def markdown(runs: list[Run]) -> str:
    """Marks hug the words: white space at the edges of a run goes outside of them."""
    pieces: list[str] = []
    for (italic, bold), same in groupby(runs, key=lambda run: (run.italic, run.bold)):
        mark = "*" * (italic + 2 * bold)
        lines = "".join(run.text for run in same).split("\n")
        pieces.append("\n".join(_wrapped(line, mark) for line in lines))
    return "".join(pieces)


def _wrapped(line: str, mark: str) -> str:
    core = line.strip()
    # Asterisks inside would end it too early.
    if not mark or not core or "*" in core:
        return line
    start = line.index(core)
    return f"{line[:start]}{mark}{core}{mark}{line[start + len(core) :]}"
