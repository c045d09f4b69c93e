"""Lines that could be headings if others like them count up: a mark, a number, a title.

``第12章``, ``Ch. 12``, ``Kapitel 3`` have a mark that says what they are; ``12.``, ``IV``, ``Two``
are a number alone, and ``Letter 3`` has a word that may be anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from arboris.novels.importing.compound import compound
from arboris.novels.importing.headings import ZH_UNIT, match_heading, undecorate
from arboris.novels.importing.numbers import (
    CHINESE,
    CHINESE_NUMBER,
    ENGLISH_NUMBER,
    ENGLISH_ORDINAL,
    number_of,
)
from arboris.novels.importing.specials import INITIALS
from arboris.novels.importing.types import HeadingKind

# sure: a heading by its wording alone. marked: by its mark, if its number fits in. bare: only in a
# series of its own over the whole book.
Trust = Literal["sure", "marked", "bare"]

MAX_LINE = 200  # characters
_TITLE = 100  # of a title; those of light novels are sentences
_BARE_TITLE = 60
_CHAPTER_MARKS = (
    "chapter chapt chap ch episode ep chapitre kapitel kapittel capítulo capitulo capitolo capítol "
    "hoofdstuk kapitola rozdział rozdzial luku fejezet глава розділ bölüm chương bab canto stave "
    "scene scène szene escena 장 화 회"
).split()
_VOLUME_MARKS = (
    "book part volume vol act livre partie tome buch teil band libro parte tomo книга часть том "
    "tom część kniha 部 卷 篇 集 冊 册 권 부 编 編"
).split()
_KINDS: dict[str, HeadingKind] = {
    **dict.fromkeys(_CHAPTER_MARKS, "chapter"),
    **dict.fromkeys(_VOLUME_MARKS, "volume"),
    **ZH_UNIT,
}
# Words before a number that count something else than parts of a book.
_NO_MARKS = frozenset(
    "page pages p pp fig figure table plate note room route line lines verse psalm level lv year "
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec am pm at in on of to by and or the a an he "
    "she it we they i 页 頁 图 圖 表 共 约 近 有 了 是 在 到 从 又 第 等级 年 月 日".split()
)
_ROMAN = r"[IVXLCDM]{1,9}|[ivxl]{1,7}|[Ⅰ-Ⅻⅰ-ⅻ①-⑳]"
_WORD_NUMBER = rf"(?:the\s)?(?:{ENGLISH_NUMBER}|{ENGLISH_ORDINAL})"
_IN_LETTERS = rf"(?<![A-Za-zÀ-ɏͰ-ӿ])(?:(?i:{_WORD_NUMBER})|{_ROMAN})(?![^\W\d_])"
_ANY = rf"{_IN_LETTERS}|[0-9０-９]{{1,5}}|{CHINESE_NUMBER}"
_ORDINAL_ZH = re.compile(
    rf"(?:제|第)\s?(?P<number>{CHINESE_NUMBER})\s?(?P<unit>[^\W\d_]{{1,2}}?)(?P<rest>[\s:：·—－|.．、《【(（-].*|)"
)
_GLUED_ZH = re.compile(
    rf"(?:正文卷?\s*)?第\s*(?P<number>{CHINESE_NUMBER})(?:\s*[-~～—–至到]\s*{CHINESE_NUMBER})?\s*(?P<unit>[{''.join(ZH_UNIT)}])(?P<rest>.*)"
)
_WORD_FIRST = re.compile(
    rf"(?P<mark>[^\W\d_]{{1,20}}?)(?P<sign>[\s.:：#№_-]{{0,3}})(?:[Nn]o\.?\s?|the\s)?"
    rf"(?P<number>{_ANY})(?:er|ère|re|e|st|nd|rd|th|º|ª)?(?P<rest>[^\w%'’].*|_.*|)"
)
_NUMBER_FIRST = re.compile(
    rf"(?P<number>{_ANY})(?P<sign>(?:st|nd|rd|th)\s|[.ºª]?\s?)(?P<mark>[^\W\d_]{{1,10}})(?P<rest>[^\w'’].*|)"
)
_MARK_WORD = re.compile(r"(?P<mark>[^\W\d_]{3,10})\s(?P<word>[^\W\d_]{2,15})(?P<rest>[.:—–].*|)")
_WORD_MARK = re.compile(r"(?P<word>[^\W\d_]{4,15})\s(?P<mark>[^\W\d_]{4,10})(?P<rest>[.:—–].*|)")
_BARE = re.compile(
    rf"(?P<open>[（(【\[「『〔〈<#№§—–~-]?)\s?(?P<number>{_ANY})"
    r"(?P<space>\s*)(?P<close>[)）】\]」』〕〉>—–~-]?)(?P<sign>[.．、:：·,，|/—–-]{0,2})\s*(?P<title>.*)"
)
_NUMBER_START = re.compile(rf"\W{{0,3}}(?:{_ANY})", re.IGNORECASE)
_NUMBERED = re.compile(
    rf"[0-9０-９{CHINESE}Ⅰ-Ⅻⅰ-ⅻ①-⑳]|\b[IVXLCDM]+\b|\b[ivxl]+\b|\b{_WORD_NUMBER}\b"
    rf"|\b(?i:{'|'.join(mark for mark in _KINDS if len(mark) > 3)})\b",
    re.IGNORECASE,
)
_INITIALS = INITIALS | frozenset("上中下")  # 上卷
_BEFORE_WORDS = re.compile(r"^[\W_]++")
_PROSE_END = ("。", "；", "，", "、", ",", ";", ":", "：", "……")
_PROSE_ZH = re.compile(r"[的了里裡中是讲講写寫说說和与跟及到至、。]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """``form``: what the lines of one series share. ``number``: None where it is not known."""

    at: int
    title: str
    form: str
    number: int | None
    kind: HeadingKind
    trust: Trust
    outer: tuple[int, ...] = ()  # numbers of what it counts within: 2 of chapter 2.1

    @property
    def worded(self) -> bool:
        """Whether its form begins with a word that may be a mark: Letter 3, 故事三, 第三夜."""
        return " " not in self.form


def may_be_heading(line: str) -> bool:
    """Whether the line is worth a look: most of a text's are not."""
    if len(line) > MAX_LINE:
        return False
    start = line.lstrip()[:3]
    if not start[:1].isalnum():
        start = _BEFORE_WORDS.sub("", line, count=1)[:3]  # ★楔子★
    if start[:1] in _INITIALS or start[:2].lower() in _INITIALS:
        return True
    return _NUMBERED.search(line, 0, 60) is not None


def candidate(at: int, line: str, alone: bool) -> Candidate | None:
    """What the line at index ``at`` could be; None for prose. ``alone``: between blank lines."""
    bare = undecorate(line)
    if not bare:
        return None
    if (parts := compound(bare)) and _is_title(parts.title, _BARE_TITLE):
        trust: Trust = "bare" if parts.form.endswith("compound") else "marked"
        return Candidate(at, bare, parts.form, parts.number, "chapter", trust, parts.outer)
    sure = match_heading(line, alone=alone)
    found = _marked(at, bare) or _worded(at, bare)
    if sure is not None:
        same = found is not None and found.kind == sure.kind
        form = found.form if found and same else sure.kind
        number = found.number if found and same else None
        return Candidate(at, sure.title, form, number, sure.kind, "sure")
    return found or _bare(at, bare)


def _marked(at: int, bare: str) -> Candidate | None:
    """第12章 with any title that is no sentence, and 第三夜 where something parts it from one."""
    found = _GLUED_ZH.fullmatch(bare) if bare[0] in "第正" else None
    rest = found["rest"] if found else ""
    if rest[:1].isspace() and len(rest) <= _BARE_TITLE:
        rest = rest.removesuffix("。")
    if found and _is_title(rest) and not _PROSE_ZH.match(rest):
        unit = found["unit"]
        return _of(at, bare, f"第{unit}", found["number"], ZH_UNIT[unit], "marked")
    found = _ORDINAL_ZH.fullmatch(bare) if bare[0] in "第제" else None
    if found and _is_title(found["rest"]):
        kind = _KINDS.get(found["unit"], "chapter")
        trust: Trust = "marked" if found["unit"] in _KINDS else "bare"
        return _of(at, bare, f"第{found['unit']}", found["number"], kind, trust)
    return None


def _worded(at: int, bare: str) -> Candidate | None:
    """Ch. 12, chapter.001, Letter 3, 卷一, 12화, Глава первая."""
    for pattern in (_WORD_FIRST, _NUMBER_FIRST):
        found = pattern.fullmatch(bare)
        if found is None:
            continue
        mark = found["mark"].casefold()
        rest = found["rest"]
        if mark[-1] in CHINESE:
            continue  # 二十一 is one number
        if mark in _NO_MARKS or not _parted(rest) or not _is_title(rest):
            continue
        known = mark in _KINDS
        if pattern is _NUMBER_FIRST and not known:
            continue
        if not known and not (found["sign"] or not mark.isascii()):
            continue  # x2
        kind = _KINDS.get(mark, "chapter")
        return _of(at, bare, mark, found["number"], kind, "marked" if known else "bare")
    for pattern in (_MARK_WORD, _WORD_MARK):
        found = pattern.fullmatch(bare)
        if found and found["mark"].casefold() in _KINDS and bare[0].isupper():
            mark = found["mark"].casefold()
            if not mark.isascii() or mark not in ("part", "book", "act"):
                return Candidate(at, bare, f"{mark} …", None, _KINDS[mark], "marked")
    return None


def title_behind_mark(bare: str) -> str | None:
    """What stands behind the mark and number of ``Kapitel 3``, ``Глава первая``; None where the
    line has neither."""
    for pattern in (_WORD_FIRST, _NUMBER_FIRST, _MARK_WORD, _WORD_MARK):
        found = pattern.fullmatch(bare)
        if found and found["mark"].casefold() in _KINDS:
            return found["rest"]
    return None


def _bare(at: int, bare: str) -> Candidate | None:
    if not _NUMBER_START.match(bare):
        return None
    found = _BARE.fullmatch(bare)
    if found is None:
        return None
    title, sign = found["title"].strip(), found["sign"]
    parted = found["close"] or sign or found["space"] or not title
    if not parted or title[:1].isdigit() or not _is_title(title, _BARE_TITLE):
        return None
    if title and not (sign or found["close"]) and title[0].islower():
        return None
    number = found["number"]
    system = (
        "roman" if re.fullmatch(_ROMAN, number)
        else "digits" if number[0].isdigit()
        else "words" if number.isascii() or " " in number
        else "chinese"
    )  # fmt: skip
    signs = f"{found['open']}{found['close']}{sign}{' …' if title else ''}"
    return _of(at, bare, f"{system} {signs}", number, "chapter", "bare")


def _of(
    at: int, title: str, form: str, number: str, kind: HeadingKind, trust: Trust
) -> Candidate | None:
    value = number_of(number)
    if value is None and trust == "bare":
        return None
    return Candidate(at, title, form, value, kind, trust)


def _parted(rest: str) -> bool:
    """Behind a number: no score, time, date, range, or unit."""
    return not re.match(r"\s*[:：.,/·~–-]\s*[0-9]|\s*[、，,和与及至~–-]\s*第", rest)


def _is_title(rest: str, longest: int = _TITLE) -> bool:
    """Whether what stands behind the number can be a title: no sentence, no half of one."""
    title = rest.strip(" \t\u3000:：.．、·—–-|_")
    if not title:
        return not rest.endswith(("，", ",", "；", ";"))
    if len(title) > longest or rest.rstrip().endswith(_PROSE_END) or re.search("[。；]", title):
        return False
    if rest.rstrip().endswith(".") and not rest.rstrip().endswith("..."):
        words = [word for word in re.findall(r"[^\W\d_]+", title) if len(word) > 3]
        if len(title.split()) > 8 or not all(word[0].isupper() for word in words):
            return False
    return not (title[0].islower() and title[0].isascii() and title[-1] in '.!?”"')
