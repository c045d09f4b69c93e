"""Things of an English chapter that are named or handled more than once."""

from __future__ import annotations

import re
from collections import defaultdict

from . import words as w

_NAMED = re.compile(
    rf"\b[Tt]he ((?:[A-Z][\w’']+ )+(?:{w.ITEM_HEADS.title()})"
    rf"|(?:{w.ITEM_HEADS.title()}) of (?:the )?[A-Z]\w+(?: [A-Z]\w+)?)\b"
)
_PLAIN = re.compile(
    r"\b(?:(?:[Tt]he|[Aa]n?|[Hh]is|[Hh]er|[Mm]y|[Tt]heir|[Tt]hat|[Tt]his)(?: own)?"
    r"|(?:disc|disk|piece|lump|sliver|shard|ball) of) "
    r"(?:(?:small|little|old|large|big|heavy|thin|tiny|plain|new|long|short|single) )?"
    rf"([a-z]{{3,12}} (?:{w.ITEM_HEADS}|{w.HANDLED_HEADS}))\b(?!-)"
)
_HEADS = frozenset(w.ITEM_HEADS.split("|"))
_HANDLED = re.compile(
    r"\b(?:drew|draws?|held|holding|took|takes|picked up|slipped|gave|hid|wore|wearing"
    r"|pocketed|found|stole|lifted|raised|"
    r"clutched|gripped|handed|unsheathed|carried|carrying|produced|pulled out|pressed|picked"
    r"|pocketed|hung|kept|tucked|fished|inherited|bought|offered|passed)\b[^.!?]*$"
)
_THEN = re.compile(
    r"\b(?:slipped|put|gave|took|handed|pocketed|tucked|picked|hid|hung|passed|dropped|pressed"
    r"|thrust|stuffed|kept|carried|locked) (?:it|the [a-z]+ (?:around|round|in|into|under))\b"
)
_SOON = 160  # letters after a thing within which "it" is handled


def find_items(text: str, taken: set[str]) -> dict[str, list[tuple[int, int]]]:
    """Names of things with their spans; ``taken`` forms name somebody or somewhere."""
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for found in _NAMED.finditer(text):
        if found[1] not in taken:
            spans[found[1]].append(found.span(1))
    plain: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for found in _PLAIN.finditer(text):
        if found[1].split(" ")[0] not in w.EMPTY_ADJECTIVES:
            plain[found[1]].append(found.span(1))
    for name, places in plain.items():
        head = name.split(" ")[1]
        # What is listed as a thing worth a name counts where the chapter comes back to it.
        again = head in _HEADS and (len(places) > 1 or bool(re.search(rf"\bthe {head}\b", text)))
        if (
            again
            or _HANDLED.search(text, max(0, places[0][0] - 24), places[0][0])
            or _THEN.search(text, places[0][1], places[0][1] + _SOON)
        ):
            spans[name] = places
    return dict(spans)
