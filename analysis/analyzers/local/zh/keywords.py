"""The salient words of a Chinese passage: what a later chapter would name again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import words as w
from .tokens import Word

# Cuts and fillers: "那句话", "日日", "昼夜", "轻声", and parts of the body ("伤臂", "后心").
_FRAGMENT = re.compile(
    r"^[那这某每各一几两半]|^什么|^怎么|^(.)\1$|^[里外上下][头面边]"
    r"|[里上下中内外前后][头面边]?$|[天日夜年月时刻]$"
    r"|[轻低小大高柔尖厉颤齐同连失朗沉冷闷]声$|[手臂脚腿眼脸心头身腰背肩唇嘴牙耳鼻眉颈胸喉膝句话]$"
)
# "第九层", "三长两短": counted things that a text comes back to.
_COUNTED = re.compile(
    r"第[一二三四五六七八九十百]+(?![次回天日年个遍步眼章])[\u4e00-\u9fff]"
    r"|(?:[一二三四五六七八九十两][长短轻重快慢]){2}"
)
# What is in any sentence: no run of other characters goes across it.
_COMMON = re.compile(
    "[^\u4e00-\u9fff]|[的了是不在有我他她它你您们这那哪一个些上下里外来去着过说道就也都和与及把被让给从向到又"
    "还再很太最只才便却而且但可能会要想将已经没未无为以于其所之者吗呢吧啊么什谁怎几多少好自己看见听问叫做当时"
    "候后前中间出起回走进站坐开手头脸眼心身口声人名点儿子得地对比跟同用因如果然若所]"
)
_LONGEST_TERM = 6
_NOUN_TAGS = frozenset(("n", "nz", "nw", "vn", "LOC", "ORG", "PER"))


def salient_nouns(words: list[Word], taken: Sequence[tuple[int, int]] = ()) -> list[str]:
    """Nouns of two characters or more; nouns in a row ("寒铁" + "令牌") make one.

    ``taken`` are the spans of names: a noun that cuts into one was cut wrongly.
    """
    nouns: list[str] = []
    end = -1
    words = _paired(words)
    for at, word in enumerate(words):
        before = words[at - 1].text if at else ""
        if not _is_salient(word) or (before[-1:] in tuple("里外上下") and word.text[0] in "头面边"):
            continue
        if any(a < word.end and word.start < b for a, b in taken):
            continue
        if nouns and word.start == end and end > 0 and len(nouns[-1] + word.text) <= 6:
            nouns[-1] += word.text
        else:
            nouns.append(_modifier(words, at) + word.text)
        end = word.end
    return nouns


def _paired(words: list[Word]) -> list[Word]:
    """Two nouns of one character in a row are one word: "铜" + "锁"."""
    paired: list[Word] = []
    for word in words:
        last = paired[-1] if paired else None
        single = word.tag == "n" and len(word.text) == 1
        if last and single and last.tag == "n" and len(last.text) == 1:
            paired[-1] = Word(last.text + word.text, "n", last.start, word.end)
        else:
            paired.append(word)
    return paired


def _modifier(words: list[Word], at: int) -> str:
    """The verb that is a part of the noun: "的" + "镇" + "魂钟" at a clause's end."""
    closed = at + 1 == len(words) or words[at + 1].tag == "w"
    if at < 2 or words[at - 2].text != "的" or not closed:
        return ""
    before = words[at - 1]
    return before.text if before.tag == "v" and before.text in w.NOUN_MODIFIERS else ""


def counted_things(passage: str) -> list[str]:
    """What the passage counts: "第九层", "三短一长"."""
    return [found.group() for found in _COUNTED.finditer(passage)]


def _is_salient(word: Word) -> bool:
    return (
        word.tag in _NOUN_TAGS
        and 2 <= len(word.text) <= 6
        and word.text not in w.EMPTY_NOUNS
        and word.text not in w.ROLES
        and word.text not in w.NOT_NAMES
        and word.text.isalnum()
        and _FRAGMENT.search(word.text) is None
    )


def terms(passage: str) -> frozenset[str]:
    """Every run of two to six characters that are not in any sentence."""
    return frozenset(
        run[start:end]
        for run in _COMMON.split(passage)
        for start in range(len(run) - 1)
        for end in range(start + 2, min(len(run), start + _LONGEST_TERM) + 1)
    )
