"""Does a line read as a chapter heading? Chinese and English shapes."""

from __future__ import annotations

import re
from typing import NamedTuple

from arboris.novels.importing.numbers import chinese_number, roman_number
from arboris.novels.importing.types import HeadingKind


class Match(NamedTuple):
    kind: HeadingKind
    title: str  # the line without ornaments, spaces squeezed
    marker: str  # the numbered part alone: 第三章, chapter iii


MAX_HEADING = 120  # characters; longer lines are prose
_ORNAMENTS = " \t\u3000\xa0=*#~☆★◆◇■□●○※|"
_PAIRS = {"【": "】", "[": "]", "［": "］", "〖": "〗"}

_ZH_NUMBER = r"[0-9０-９零〇○一二三四五六七八九十百千万萬两兩廿卅]{1,9}"
_ZH = re.compile(
    rf"(?:正文\s*)?(?P<marker>第\s*{_ZH_NUMBER}\s*(?P<unit>[章回话話集幕节節卷部篇]))(?P<rest>.*)"
)
_ZH_UNIT: dict[str, HeadingKind] = {
    **dict.fromkeys("卷部篇", "volume"),
    **dict.fromkeys("章回话話集幕", "chapter"),
    **dict.fromkeys("节節", "section"),
}
_ZH_SPECIAL = re.compile(
    r"(?P<marker>序章|序言|序幕|自序|代序|序|楔子|引子|引言|前言|尾声|尾聲|尾章|终章|終章|"
    r"后记|後記|结语|跋|番外篇?)(?P<rest>.*)"
)
_EXTRA_NUMBER = re.compile(rf"(?:[（(]?{_ZH_NUMBER}[)）]?|之)?(?P<rest>.*)")
# "第三章完" closes a chapter, it does not open one.
_ZH_END = re.compile(r"[\s（(【]*(?:完|终|終|结束|結束|完结|全文完)[\s）)】。！!]*")
# Glued to the marker these go on with a sentence or make another word: 第三章的, 第二节课.
_ZH_PROSE = re.compile(
    r"[的了里裡中是讲講写寫说說和与跟及到至末、，,。]|[课合轴宗]|之[前后後]|以[前后後]|结[束尾]|开[始头]"
)
_ZH_RANGE = re.compile(rf"\s*[、，,和与及到至~～—-]\s*(?:第\s*)?{_ZH_NUMBER}")
# What leads to the page number in a printed table of contents.
_LEADER = re.compile(r"(?:[.…·．_-]{2,}|\t)\s*\d{1,5}\s*$")
_STRONG = re.compile(r"[\s:：|·—–.．-]")

_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|"
    "sixteen|seventeen|eighteen|nineteen|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
    "(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one )?hundred"
)
_ORDINALS = (
    "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|last|final"
)
_EN = re.compile(
    rf"(?P<marker>(?P<unit>chapter|part|book|volume|vol\.)\s+"
    rf"(?:\d{{1,4}}|[ivxlcdm]{{1,9}}|{_WORDS}|(?:the\s+)?(?:{_ORDINALS})))(?![\w'’])(?P<rest>.*)",
    re.IGNORECASE,
)
_EN_SPECIAL = re.compile(
    r"(?P<marker>prologue|epilogue|preface|foreword|introduction|interlude|intermezzo|afterword|"
    r"postscript)(?![\w'’])(?P<rest>.*)",
    re.IGNORECASE,
)
_EN_SEPARATOR = re.compile(r"\s*[:.—–|-]+\s*")


_ZH_MARKED = re.compile(_ZH_NUMBER)
_ENGLISH = {word: at for at, word in enumerate(_WORDS.split("|")[:19], start=1)}


def match_heading(line: str, *, alone: bool = True) -> Match | None:
    """The heading that ``line`` is, or None for prose.

    ``alone``: blank lines stand before and after, which lets a looser English title pass.
    """
    bare = _undecorate(_LEADER.sub("", line) if len(line) <= 2 * MAX_HEADING else line)
    if not bare or len(bare) > MAX_HEADING:
        return None
    if bare[0].isascii():
        return _match_english(bare, alone)
    return _match_chinese(bare)


def same_heading(one: str, other: str) -> bool:
    """Whether two titles mean one heading: equal but for spaces, dots and a page number, or
    one of them the bare marker of the other (第一章 and 第一章 初见)."""
    keys = heading_key(one), heading_key(other)
    if keys[0] == keys[1]:
        return True
    for short, long in ((keys[0], other), (keys[1], one)):
        match = match_heading(long)
        if match and heading_key(match.marker) == short:
            return True
    return False


def heading_key(title: str) -> str:
    """The title without ornaments, spaces, punctuation, case or a leader with page number."""
    return re.sub(r"[\W_]+", "", _LEADER.sub("", title)).casefold()


def heading_number(title: str) -> int | None:
    """The number that a chapter's title prints (第十二章, Chapter XII); none of a volume's.

    The title of a volume, or of the book, may stand before it: 第一卷 风 第二章 雨.
    """
    words = title.split()
    for at in range(len(words)):
        match = match_heading(" ".join(words[at:]))
        if match is not None and match.kind in ("chapter", "section"):
            return _number(match)
    return None


def _number(match: Match) -> int | None:
    found = _ZH_MARKED.search(match.marker)
    if found:
        return chinese_number(found[0])
    word = match.marker.split(None, 1)[1].lower()
    if word.isdigit():
        return int(word)
    return _ENGLISH.get(word) or roman_number(word)


def _undecorate(line: str) -> str:
    bare = line.strip().strip(_ORNAMENTS)
    if bare and bare[0] in _PAIRS:
        close = _PAIRS[bare[0]]
        bare = bare[1:-1] if bare.endswith(close) else bare[1:].replace(close, " ", 1)
    return re.sub(r"\s+", " ", bare).strip()


def _match_chinese(bare: str) -> Match | None:
    found = _ZH.match(bare)
    if found:
        if not _is_chinese_title(found["unit"], found["rest"]):
            return None
        return Match(_ZH_UNIT[found["unit"]], bare, found["marker"])
    found = _ZH_SPECIAL.match(bare)
    if not found:
        return None
    rest = found["rest"]
    if found["marker"].startswith("番外"):
        number = _EXTRA_NUMBER.match(rest)
        rest = number["rest"] if number else rest
    if rest and not (_STRONG.match(rest) and _is_short_title(rest)):
        return None
    return Match("special", bare, found["marker"])


def _is_chinese_title(unit: str, rest: str) -> bool:
    if not rest:
        return True
    if _ZH_END.fullmatch(rest) or _ZH_RANGE.match(rest):
        return False
    if _STRONG.match(rest) or rest[0] in "【（(《「":
        return _is_short_title(rest)
    # Nothing between marker and title: only what cannot be a sentence passes.
    if unit not in "章回节節卷" or _ZH_PROSE.match(rest):
        return False
    return len(rest) <= 30 and not re.search(r"[。，；：,;…“”「」]|[！？!?].", rest)


def _is_short_title(rest: str) -> bool:
    title = rest.strip()
    if len(title) > 40 or "。" in title[:-1]:
        return False
    return not (title.endswith(("。", "；", "，")) and re.search("[，；]", title))


def _match_english(bare: str, alone: bool) -> Match | None:
    found = _EN.match(bare)
    special = found is None
    found = found or _EN_SPECIAL.match(bare)
    if found is None or not bare[0].isupper():
        return None
    if not _is_english_title(found["rest"], alone and not special):
        return None
    if special:
        return Match("special", bare, found["marker"])
    kind: HeadingKind = "chapter" if found["unit"].lower() == "chapter" else "volume"
    return Match(kind, bare, found["marker"])


def _is_english_title(rest: str, loose: bool) -> bool:
    separator = _EN_SEPARATOR.match(rest)
    title = rest[separator.end() :] if separator else rest.strip()
    if not title:
        return True
    if len(title) > 80 or (title.endswith(".") and len(title.split()) > 8):
        return False
    if separator:
        sign = separator.group().strip()
        if sign == "-" and title[0].isdigit():
            return False  # Chapters 1-3
        return not (sign.startswith(".") and title[0].islower())
    if title[0].islower() or title[0] in ",;)" or title[-1] in ".,;:":
        return False
    long_words = [word for word in re.findall(r"[^\W\d_]+", title) if len(word) > 3]
    capitals = sum(word[0].isupper() for word in long_words)
    return loose or capitals * 2 >= len(long_words) > 0 or (not long_words and title[0].isupper())
