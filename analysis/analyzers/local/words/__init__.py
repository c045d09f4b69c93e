"""The word lists and patterns of the offline analyzer: data files, read once a process.

A file is TOML. In a word list, a text is words between white space, an array is phrases.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

Words = tuple[str, ...]


@cache
def word_lists(name: str) -> Mapping[str, Words]:
    """The lists of ``<name>.toml`` by their keys. Tables are left to ``word_table``."""
    return {
        key: tuple(value.split() if isinstance(value, str) else value)
        for key, value in read(name).items()
        if not isinstance(value, dict)
    }


def word_table(name: str, key: str) -> dict[str, Words]:
    """A table of ``<name>.toml``: its words by what each line stands for."""
    table: dict[str, str] = read(name)[key]
    return {meaning: tuple(words.split()) for meaning, words in table.items()}


@cache
def read(name: str) -> dict[str, Any]:
    """The whole of ``<name>.toml``."""
    with Path(__file__).with_name(f"{name}.toml").open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)
        return table
