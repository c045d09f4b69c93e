"""The salient words of an English passage: what a later chapter would name again."""

from __future__ import annotations

import re

from . import words as w

_NOUN = re.compile(
    r"\b(?:the|a|an|his|her|my|your|our|their|its|this|every|no) (?=((?:[a-z]+ ){0,2}[a-z]{3,})\b)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z]{3,}(?:[’'-][a-z]+)*")
_ENDING = re.compile(r"(?:ing|ed|es|s|’s|'s|er|ly)$")
_VERBAL = ("s", "ed", "ing", "ly")


def salient_nouns(passage: str) -> list[str]:
    """Heads of "the ..." groups: the last word before a function word or punctuation."""
    nouns = []
    for found in _NOUN.finditer(passage):
        kept: list[str] = []
        for word in found[1].lower().split():
            if word in w.FUNCTION or word in w.NO_NAMES or (kept and word in w.FINITE_VERBS):
                break
            kept.append(word)
        while len(kept) > 1 and (kept[-1] in w.ACTS or kept[-1].endswith(_VERBAL)):
            kept.pop()  # "the third bell rings": more likely a verb than a second noun
        if (
            kept
            and len(kept[-1]) > 2
            and kept[-1] not in w.EMPTY_NOUNS
            and not kept[-1].endswith(("ly", "ed"))
        ):
            nouns.append(kept[-1])
    return nouns


def terms(passage: str) -> frozenset[str]:
    """Its words that are not in any passage, without their endings."""
    return frozenset(
        stem
        for word in _WORD.findall(passage.lower())
        if word not in w.COMMON and len(stem := _ENDING.sub("", word)) > 2 and stem not in w.COMMON
    )
