"""Numbers as chapter headings print them."""

from __future__ import annotations

_DIGITS = {char: digit for digit, char in enumerate("零一二三四五六七八九")}
_DIGITS |= {"〇": 0, "○": 0, "两": 2, "兩": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_SHORT = {"廿": "二十", "卅": "三十", "萬": "万"}
_FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}


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
