"""The texts of the prompts that staff may read and change, and the versions of them.

A room that asks a model registers its texts here. What holds a prompt together (who speaks, where
material begins and ends) is not among them. What staff have changed: ``prompt_versions``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from django.utils.translation import gettext as _

from arboris.llm.prompt_fence import neutral
from arboris.storable import find_unstorable

LONGEST = 20_000  # characters


@dataclass(frozen=True, slots=True)
class Words:
    """A text with its version: a hash of a shipped one, "#" and the row's id of a changed one."""

    text: str
    version: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """``key``: the purpose, or "analysis" for what all its questions have in common.

    ``needs``: words that have to stand in it, for the answer is read by them.
    """

    key: str
    language: str
    shipped: str
    needs: tuple[str, ...] = ()

    @property
    def words(self) -> Words:
        return shipped_words(self.shipped)

    def faults(self, text: str) -> list[str]:
        """What is wrong with a text that is to take its place, in the active language."""
        if not text.strip():
            return [_("The text is empty.")]
        if len(text) > LONGEST:
            return [_("The text has more than %(limit)d characters.") % {"limit": LONGEST}]
        found = [problem] if (problem := find_unstorable(text)) else []
        if missing := [word for word in self.needs if word not in text]:
            found.append(_("These words have to stand in it: %s.") % ", ".join(missing))
        if neutral(text) != text:
            found.append(
                _(
                    "It has signs that could pass for a marker of the material: < and >, or those"
                    " of a chat's template."
                )
            )
        return found


@cache
def shipped_words(text: str) -> Words:
    return Words(text, hashlib.sha256(text.encode()).hexdigest()[:8])


Source = Callable[[], Iterable[Prompt]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """``source`` is called when somebody wants to see the texts."""
    if source not in _sources:
        _sources.append(source)


def every() -> dict[tuple[str, str], Prompt]:
    """All texts, by key and language."""
    found = (prompt for source in _sources for prompt in source())
    return {(prompt.key, prompt.language): prompt for prompt in found}
