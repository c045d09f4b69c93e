"""Does a line read as a chapter heading? Chinese and English shapes."""

from __future__ import annotations

import re
from typing import NamedTuple

from arboris.novels.importing.numbers import (
    CHINESE_NUMBER,
    ENGLISH_NUMBER,
    ENGLISH_ORDINAL,
    number_of,
)
from arboris.novels.importing.specials import COUNTED, WESTERN_SPECIAL, ZH_SPECIAL
from arboris.novels.importing.types import HeadingKind


class Match(NamedTuple):
    kind: HeadingKind
    title: str  # the line without ornaments, spaces squeezed
    marker: str  # the numbered part alone: 第三章, chapter iii


MAX_HEADING = 120  # characters; longer lines are prose
_ORNAMENTS = " \t\u3000\xa0=*#~☆★◆◇■□●○※|◎▲△▼▽♦♢♠♣♥♡❀❁✿❖✦✧✩✪✫✬✭✮✯✱✲✳✴✵✶✷✸✹✺✻❃❋❦❧⁂•·〓♪♫_^"
_FRAMES = " -–—―─━=<>＜＞«»≪≫+·・"  # ornaments where they stand on both sides
_BOOK = re.compile(r"《[^《》]{1,40}》\s*(?=第)")  # 《血色》第一章, as some sites print it
_PAIRS = {"【": "】", "[": "]", "［": "］", "〖": "〗"}
# Around text these mean something else; around 第一章 alone they are ornaments.
_MARKER_PAIRS = {"「": "」", "『": "』", "〈": "〉", "《": "》", "<": ">", "（": "）"}
_MARKER_PAIRS |= {"(": ")", "〔": "〕"}

ZH_UNIT: dict[str, HeadingKind] = {
    **dict.fromkeys("卷部篇册冊季", "volume"),
    **dict.fromkeys("章回话話集幕折", "chapter"),
    **dict.fromkeys("节節", "section"),
}
_UNITS = "".join(ZH_UNIT)
_ZH = re.compile(
    rf"(?:(?:正文卷?|VIP卷?)\s*)?(?P<marker>第\s*{CHINESE_NUMBER}\s*(?P<unit>[{_UNITS}]))(?P<rest>.*)"
)
# 卷一, 卷之三, 上卷: only with something that parts them from a title.
_ZH_TURNED = re.compile(
    rf"(?P<marker>(?P<unit>[卷章回部篇])(?:之|第)?\s?{CHINESE_NUMBER}|[上中下](?P<part>[卷部篇册冊]))"
    r"(?P<rest>(?:[\s:：·—－|《【].*)?)"
)
_ZH_INNER = re.compile(rf"\s(?P<marker>第\s*{CHINESE_NUMBER}\s*[章回话話])(?:\s|[:：]|$)")
_EXTRA_NUMBER = re.compile(rf"(?:[（(]?{CHINESE_NUMBER}[)）]?|之)?(?P<rest>.*)")
# "第三章完" closes a chapter, it does not open one.
_ZH_END = re.compile(r"[\s（(【]*(?:完|终|終|结束|結束|完结|全文完)[\s）)】。！!]*")
# Glued to the marker these go on with a sentence or make another word: 第三章的, 第二节课.
_ZH_PROSE = re.compile(
    r"[的了里裡中是讲講写寫说說和与跟及到至末、，,。]|[课合轴宗]|之[前后後]|以[前后後]|结[束尾]|开[始头]"
)
_ZH_RANGE = re.compile(rf"\s*[、，,和与及到至~～—-]\s*(?:第\s*)?{CHINESE_NUMBER}")
# What leads to the page number in a printed table of contents.
_LEADER = re.compile(r"(?:(?<![.…·．_-])[.…·．_-]{2,}+|\t)\s*+\d{1,5}\s*+$")
_STRONG = re.compile(r"[\s:：|·—–.．-]")

_EN = re.compile(
    rf"(?P<marker>(?P<unit>chapter|part|book|volume|vol\.|act|episode|canto|stave)\s+"
    rf"(?P<number>\d{{1,4}}[a-d]?|[ivxlcdm]{{1,9}}|{ENGLISH_NUMBER}|(?:the\s+)?{ENGLISH_ORDINAL}))"
    r"(?![\w'’])(?P<rest>.*)",
    re.IGNORECASE,
)
_EN_VOLUMES = frozenset({"part", "book", "volume", "vol.", "act"})
_EN_SEPARATOR = re.compile(r"\s*[:.—–|-]+\s*")


def match_heading(line: str, *, alone: bool = True) -> Match | None:
    """The heading that ``line`` is, or None for prose.

    ``alone``: blank lines stand before and after, which lets a looser English title pass.
    """
    bare = undecorate(line)
    if not bare or len(bare) > MAX_HEADING:
        return None
    if bare[0].isascii() and not bare.startswith("VIP"):
        return _match_english(bare, alone)
    return _match_chinese(bare) or _match_english(bare, alone)


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
    digits = re.sub(
        rf"^第\s*|\s*[{_UNITS}]$|^[{_UNITS}](?:之|第)?|^[A-Za-z]+\.?\s", "", match.marker
    )
    return number_of(digits)


def undecorate(line: str) -> str:
    """The line without ornaments and the page number of a table of contents, spaces squeezed."""
    bare = line.strip()
    if bare[-1:].isdigit():
        bare = _LEADER.sub("", bare)
    bare = bare.strip(_ORNAMENTS)
    if not bare[:1].isalnum():
        bare = _BOOK.sub("", bare)
        bare = bare.removeprefix("、") if line.lstrip()[:1] in _ORNAMENTS else bare  # ☆、第一章
        bare = _without_brackets(_without_frame(bare))
    return " ".join(bare.split())


def _without_frame(bare: str) -> str:
    if not bare or bare[0] not in _FRAMES or bare[-1] not in _FRAMES:
        return bare
    inner = bare.strip(_FRAMES)
    return inner if number_of(inner) is None else bare


def _without_brackets(bare: str) -> str:
    if bare and bare[0] in _PAIRS:
        close = _PAIRS[bare[0]]
        return bare[1:-1] if bare.endswith(close) else bare[1:].replace(close, " ", 1)
    if bare and bare[0] in _MARKER_PAIRS:
        return _without_pair(bare, _MARKER_PAIRS[bare[0]])
    return bare


def _without_pair(bare: str, close: str) -> str:
    """「第一章」雨 and 「第一章 雨」 without the brackets; what else they hold keeps them."""
    inner, _sign, rest = bare[1:].partition(close)
    found = _ZH.fullmatch(inner)
    if found is None or not (not found["rest"] or (found["rest"][0].isspace() and not rest)):
        return bare
    return f"{inner} {rest}"


def _match_chinese(bare: str) -> Match | None:
    found = _ZH.match(bare)
    if found:
        if not _is_chinese_title(found["unit"], found["rest"]):
            return None
        kind = ZH_UNIT[found["unit"]]
        inner = _ZH_INNER.search(found["rest"]) if kind == "volume" else None
        if inner:  # 第一卷 风 第二章 雨, as each chapter of some novels is headed
            return Match("chapter", bare, inner["marker"])
        return Match(kind, bare, found["marker"])
    found = _ZH_TURNED.fullmatch(bare)
    if found and (not found["rest"] or _is_short_title(found["rest"])):
        return Match(ZH_UNIT[found["unit"] or found["part"]], bare, found["marker"])
    found = ZH_SPECIAL.match(bare)
    if not found:
        return None
    rest = found["rest"]
    if found["marker"].startswith(tuple(COUNTED)):
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
    found = found or WESTERN_SPECIAL.match(bare)
    if found is None or not bare[0].isupper():
        return None
    if not _is_english_title(found["rest"], alone and not special):
        return None
    if special:
        return Match("special", bare, found["marker"])
    kind: HeadingKind = "volume" if found["unit"].lower() in _EN_VOLUMES else "chapter"
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
