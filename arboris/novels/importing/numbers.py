"""Numbers as chapter headings print them."""

from __future__ import annotations

import unicodedata

_DIGITS = {char: digit for digit, char in enumerate("零一二三四五六七八九")}
_DIGITS |= {char: digit for digit, char in enumerate("零壹贰叁肆伍陆柒捌玖")}
_DIGITS |= {"〇": 0, "○": 0, "两": 2, "兩": 2, "貳": 2, "弍": 2, "參": 3, "叄": 3, "参": 3, "陸": 6}
_PLACES = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_SHORT = {"廿": "二十", "卅": "三十", "萬": "万"}
_FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}
_UNITS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
).split()
_WORDS = {word: number for number, word in enumerate(_UNITS, start=1)}
_WORDS |= {word: 10 * number for number, word in enumerate(_TENS, start=2)}
_WORDS |= {word: number for number, word in enumerate(_ORDINALS, start=1)}

CHINESE = "零〇○一二三四五六七八九十百千万萬两兩廿卅壹贰貳弍叁參叄参肆伍陆陸柒捌玖拾佰仟"
# Patterns for headings: letters of any case.
CHINESE_NUMBER = rf"[0-9０-９{CHINESE}]{{1,9}}"
ENGLISH_NUMBER = (
    rf"(?:{'|'.join(sorted(_UNITS, key=len, reverse=True))}"
    rf"|(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_UNITS[:9])}))?|(?:one )?hundred)"
)
ENGLISH_ORDINAL = rf"(?:{'|'.join(_ORDINALS)}|last|final)"


def number_of(text: str) -> int | None:
    """The number that ``text`` is, in any of the ways of a heading; None where it is none."""
    plain = unicodedata.normalize("NFKC", text).strip().lower()  # １２, Ⅻ, ⑫ too
    if plain.isascii():
        if plain.isdigit():
            return int(plain)
        return english_number(plain) or roman_number(plain)
    return chinese_number(text.strip())


def chinese_number(text: str) -> int | None:
    """两千零三十 by its places, 一二三 digit by digit, 12 as it is; None where it is no number."""
    text = "".join(_SHORT.get(char, char) for char in text.translate(_FULL_WIDTH))
    if text.isdigit() and text.isascii():
        return int(text)
    if text and all(char in _DIGITS for char in text):
        return int("".join(str(_DIGITS[char]) for char in text))
    total = section = digit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _PLACES:
            section += (digit or 1) * _PLACES[char]
            digit = 0
        elif char == "万":
            total, section, digit = total + (section + digit) * 10_000, 0, 0
        else:
            return None
    return total + section + digit or None


def roman_number(text: str) -> int | None:
    """Of small letters."""
    values = [_ROMAN.get(char, 0) for char in text]
    if not values or 0 in values:
        return None
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < following else value for value, following in pairs)


def english_number(text: str) -> int | None:
    """Of small letters: one to ninety-nine, first to twelfth."""
    parts = text.replace("-", " ").removeprefix("the ").split()
    if not 0 < len(parts) < 3 or any(part not in _WORDS for part in parts):
        return 100 if parts in (["hundred"], ["one", "hundred"]) else None
    return sum(_WORDS[part] for part in parts)
