"""Things of an English chapter that are named or handled more than once."""

from __future__ import annotations

import re
from collections import defaultdict

_HEADS = (
    "sword|blade|dagger|knife|axe|hammer|spear|bow|shield|staff|wand|ring|crown|amulet|talisman|pendant|necklace|locket|bracelet|"
    "brooch|medallion|orb|crystal|gem|jewel|stone|mirror|lantern|lamp|bell|horn|harp|flute|key|map|scroll|tome|grimoire|diary|ledger|"
    "locket|chalice|cup|goblet|box|casket|chest|coffin|mask|cloak|gauntlet|helm|armour|armor|banner|potion|elixir|vial|compass|clock|"
    "watch|pistol|revolver|rifle|letter|will|testament|manuscript|seal|coin|dice|idol|statue|relic|whistle|telescope|sextant|quill|drum|veil|glove"
)
_NAMED = re.compile(
    rf"\b[Tt]he ((?:[A-Z][\w’']+ )+(?:{_HEADS.title()})|(?:{_HEADS.title()}) of (?:the )?[A-Z]\w+(?: [A-Z]\w+)?)\b"
)
_PLAIN = re.compile(
    rf"\b(?:[Tt]he|[Aa]n?|[Hh]is|[Hh]er|[Mm]y|[Tt]heir|[Tt]hat|[Tt]his) ([a-z]{{3,12}} (?:{_HEADS}))\b"
)
_HANDLED = re.compile(
    r"\b(?:drew|draws?|held|holding|took|takes|picked up|slipped|gave|hid|wore|wearing|pocketed|found|stole|lifted|raised|"
    r"clutched|gripped|handed|unsheathed|carried|carrying|produced)\b[^.!?]*$"
)
_EMPTY = frozenset(
    "old new little small big great large same other first second last next whole good own long short only such very single open "
    "empty heavy very said and the his her its another few two three".split()
)


def find_items(text: str, taken: set[str]) -> dict[str, list[tuple[int, int]]]:
    """Names of things with their spans; ``taken`` forms name somebody or somewhere."""
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for found in _NAMED.finditer(text):
        if found[1] not in taken:
            spans[found[1]].append(found.span(1))
    plain: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for found in _PLAIN.finditer(text):
        if found[1].split(" ")[0] not in _EMPTY:
            plain[found[1]].append(found.span(1))
    for name, places in plain.items():
        head = name.split(" ")[1]
        again = len(re.findall(rf"\bthe {head}\b", text)) if len(places) == 1 else 1
        if (
            len(places) > 1
            or again
            or _HANDLED.search(text, max(0, places[0][0] - 24), places[0][0])
        ):
            spans[name] = places
    return dict(spans)
