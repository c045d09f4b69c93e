"""Numbers in words, as ages and dates give them."""

from __future__ import annotations

_HAN = {word: value for value, word in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {word: value for value, word in enumerate(_ONES)} | {
    word: 20 + 10 * at for at, word in enumerate(_TENS)
}


def han_number(text: str) -> int:
    """二十一, 21; 0 for what is no number."""
    if text.isdigit():
        return int(text)
    total = part = 0
    for sign in text:
        if sign == "十":
            total, part = total + (part or 1) * 10, 0
        elif sign == "百":
            total, part = total + (part or 1) * 100, 0
        elif sign in _HAN:
            part = _HAN[sign]
        else:
            return 0
    return total + part


def english_number(text: str) -> int:
    """twenty-one, 21; 0 for what is no number."""
    if text.isdigit():
        return int(text)
    parts = text.lower().split("-")
    return sum(_WORDS[part] for part in parts) if all(part in _WORDS for part in parts) else 0
