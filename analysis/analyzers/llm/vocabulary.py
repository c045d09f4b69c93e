"""The words of ``vocabulary.toml``, which says what they are for."""

from __future__ import annotations

import tomllib
from pathlib import Path

from arboris.llm.answer_values import Vocabulary

PASSAGES = frozenset(
    ("quote", "name", "character", "source", "target", "relation", "earlier", "item", "holder")
)


def _vocabulary() -> Vocabulary:
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        data = tomllib.load(file)
    fields = {
        word: tuple(meant.split())
        for meant, words in data["fields"].items()
        for word in words.split()
    }
    return Vocabulary(
        fields, {word: tuple(t.split()) for word, t in data["words"].items()}, PASSAGES
    )


VOCABULARY = _vocabulary()
