"""Named things of a Chinese chapter, by their endings and by how they are handled."""

from __future__ import annotations

from collections import defaultdict

from ..common.known import Lexicon
from . import words as w
from .names import ALL_CJK, RARE_IN_NAMES
from .tokens import Word

# Verbs and parts of the body that the tagger joins to the thing: "扫地", "手摸".
_NO_START = frozenset("手脚扫擦摸敲撞拿买卖修砸是有在把")


def find_items(
    text: str, lines: list[list[Word]], taken: set[str]
) -> dict[str, list[tuple[int, int]]]:
    """Names of things with their spans; ``taken`` forms name somebody or somewhere."""
    strength: dict[str, int] = defaultdict(int)
    for line in lines:
        for at, word in enumerate(line):
            if word.tag in ("n", "nz", "nw", "PER", "LOC") and word.text.endswith(w.ITEM_ENDINGS):
                form, first = _grown(line, at)
                if _worthy(form, taken):
                    strength[form] += 1 + 2 * _handled(line, first)
    # Two characters are any knife or lamp until the chapter comes back to them.
    chosen = {
        f
        for f, s in strength.items()
        if (s >= 3 and (len(f) > 2 or text.count(f) > 1)) or (s >= 2 and len(f) >= 3)
    }
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for start, end in Lexicon(chosen, whole_words=False).scan(text):
        spans[text[start:end]].append((start, end))
    return dict(spans)


def _grown(line: list[Word], at: int) -> tuple[str, int]:
    """The word with the short adjectives and nouns before it: "墨" + "玉佩"."""
    form, first = line[at].text, at
    while first and len(form) < 4:
        before = line[first - 1]
        if before.tag not in ("a", "n", "nz", "an") or len(before.text) + len(form) > 5:
            break
        if (
            len(before.text) > 2
            or before.text in w.COMMON_ITEMS
            or RARE_IN_NAMES.intersection(before.text)
        ):
            break
        form, first = before.text + form, first - 1
    return form, first


def _handled(line: list[Word], first: int) -> bool:
    before = [w.text for w in line[max(0, first - 3) : first]]
    if before and (before[-1] in w.ITEM_MEASURES or before[-1][-1:] in "把柄枚颗"):
        return True
    return any(word.rstrip("了着过") in w.ITEM_HANDLING for word in before)


def _worthy(form: str, taken: set[str]) -> bool:
    return (
        2 <= len(form) <= 6
        and form[0] not in _NO_START
        and not (len(form) == 2 and form[0] in "大小新旧老破空短长好真假")
        and form not in w.COMMON_ITEMS
        and form not in taken
        and ALL_CJK.match(form) is not None
        and not RARE_IN_NAMES.intersection(form)
    )
