"""Whether two words for a colour can mean the same one."""

from __future__ import annotations

from functools import reduce

# What each word may stand for; a word of several characters is read character by character.
_HAN = {
    "黑": "black", "墨": "black", "漆": "black", "乌": "black", "褐": "brown", "棕": "brown",
    "栗": "brown", "琥": "amber brown gold", "珀": "amber brown gold", "金": "gold",
    "黄": "gold amber", "绿": "green", "翠": "green", "碧": "green blue", "青": "green blue black",
    "蓝": "blue", "湛": "blue", "灰": "grey", "银": "grey white", "白": "white grey",
    "红": "red", "赤": "red", "紫": "violet", "亚": "brown gold", "麻": "brown gold",
}  # fmt: skip
_WORDS = {
    "black": "black", "dark": "black brown", "raven": "black", "jet": "black",
    "brown": "brown", "hazel": "brown green", "amber": "amber brown gold", "chestnut": "brown red",
    "auburn": "red brown", "gold": "gold", "golden": "gold", "blond": "gold", "blonde": "gold",
    "fair": "gold", "flaxen": "gold", "yellow": "gold", "sandy": "gold brown",
    "green": "green", "emerald": "green", "blue": "blue", "azure": "blue", "sapphire": "blue",
    "grey": "grey blue", "gray": "grey blue", "silver": "grey white", "steel": "grey",
    "violet": "violet", "purple": "violet", "red": "red", "ginger": "red", "copper": "red",
    "white": "white grey",
}  # fmt: skip
_AGED = {"white", "grey", "blue"}  # what hair turns to by itself


def differ(one: str, other: str) -> bool:
    """Whether the words name colours that nobody would take for each other; False where unsure."""
    first, second = _meant(one), _meant(other)
    return bool(first and second) and not first & second


def hair_differs(one: str, other: str) -> bool:
    """As ``differ``; but hair turns grey."""
    return differ(one, other) and not any(_meant(word) <= _AGED for word in (one, other))


def _meant(word: str) -> set[str]:
    """What a word may mean: what all its parts share, else what any of them says."""
    known = _WORDS if word.isascii() else _HAN
    pieces = word.lower().replace("-", " ").split() if word.isascii() else list(word)
    sets = [set(known[piece].split()) for piece in pieces if piece in known]
    if not sets:
        return set()
    shared: set[str] = reduce(set.intersection, sets)
    return shared or set().union(*sets)
