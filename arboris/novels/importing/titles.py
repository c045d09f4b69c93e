"""Lines that can be a title by themselves, and what a title is without its number."""

from __future__ import annotations

import re

from arboris.novels.importing.distances import width
from arboris.novels.importing.forms import title_behind_mark
from arboris.novels.importing.headings import heading_key, match_heading, undecorate
from arboris.novels.importing.numbers import CHINESE, ENGLISH_NUMBER
from arboris.novels.importing.types import MAX_TITLE

_LONGEST = 72  # columns
_NO_START = tuple("“”\"「」『』‘’'«»„‚—–-•,，.。、：:…!！?？（(【[")
_NO_END = tuple('。，、；：…,;:.—–-“”"「『‘’»«')
_SENTENCES = re.compile(r"[。；！？…]|[.!?]\s|[“”「」『』\"]")
_LETTER = re.compile(r"[^\W\d_]")
_LEAD = re.compile(
    rf"[\W_]*(?:第?\s*(?:[0-9０-９]{{1,5}}|[{CHINESE}]{{1,9}})\s*[章回节節话話集幕折卷部篇]?"
    rf"|[IVXLCDM]{{1,9}}|{ENGLISH_NUMBER})(?:[.·-][0-9]{{1,4}}){{0,2}}(?:[\W_]+|$)",
    re.IGNORECASE,
)


def may_be_title(line: str) -> bool:
    """Whether the line, short and no sentence, can be what a chapter is called."""
    start = line.lstrip()[:1]
    if len(line) > MAX_TITLE or line.rstrip().endswith(_NO_END):
        return False
    if start.islower() and start.isascii():
        return False
    bare = undecorate(line)
    if not bare or len(bare) > _LONGEST or width(bare) > _LONGEST or not _LETTER.search(bare):
        return False
    if bare.startswith(_NO_START) or bare.endswith((*_NO_END, *"—–-")):
        return False
    if _SENTENCES.search(bare[:-1]):
        return False
    return not (bare[0].islower() and bare[0].isascii())


def name_of(title: str) -> str:
    """The title without its number, as a key; empty where there is nothing else."""
    match = match_heading(title)
    if match and match.kind != "special":
        return heading_key(title.partition(match.marker)[2])
    behind = title_behind_mark(title)
    return heading_key(_LEAD.sub("", title, count=1) if behind is None else behind)
