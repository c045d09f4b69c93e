"""The salient words of a passage: what a later chapter would name again."""

from __future__ import annotations

import re

from . import en_words, zh_words
from .models import MODELS, ModelMissing
from .zh_tokens import Word, with_offsets

_ZH_EMPTY = frozenset(
    "时候 事情 东西 地方 样子 声音 目光 眼睛 眼神 眼前 脸色 脸上 心中 心里 心头 手中 手里 身上 身边 身后 身体 身子 面前 嘴里 嘴角 "
    "头发 意思 办法 问题 感觉 消息 话语 语气 一声 一眼 片刻 瞬间 今天 明天 昨天 今日 明日 昨日 如今 现在 当年 后来 一下 一口 一步 "
    "人们 众人 大家 自己 世界 事 话 人 天下 结果 原因 时间 心思 模样 气息 力量 动作 机会 关系 情况 目的 道理 事实 部分 方向 周围 "
    "两人 二人 三人 东西 里面 外面 前面 后面 上面 下面 半句话 一句话 句话 有人 何人 公 日".split()
)
_EN_NOUN = re.compile(
    r"\b(?:the|a|an|his|her|my|your|our|their|its|this|that|every|no) ((?:[a-z]+ ){0,2}[a-z]{3,})\b",
    re.IGNORECASE,
)
_EN_EMPTY = en_words.FUNCTION | frozenset(
    "time times way thing things day days night nights moment place people person world life word words voice face eyes hand hands "
    "head heart mind side end part kind sort number question answer fact truth year years hour hours minute minutes morning evening "
    "room house door name matter rest back while lot bit reason idea thought look".split()
)
_VERBAL = ("s", "ed", "ing", "ly")
_NOUN_TAGS = frozenset(("n", "nz", "nw", "vn", "LOC", "ORG", "PER"))


def zh_nouns(words: list[Word]) -> list[str]:
    """Nouns of two characters or more; nouns in a row ("寒铁" + "令牌") make one."""
    nouns: list[str] = []
    end = -1
    for word in words:
        if not _is_salient(word):
            continue
        if nouns and word.start == end and end > 0 and len(nouns[-1] + word.text) <= 6:
            nouns[-1] += word.text
        else:
            nouns.append(word.text)
        end = word.end
    return nouns


def _is_salient(word: Word) -> bool:
    return (
        word.tag in _NOUN_TAGS
        and 2 <= len(word.text) <= 6
        and word.text not in _ZH_EMPTY
        and word.text not in zh_words.ROLES
        and word.text.isalnum()
    )


def en_nouns(passage: str) -> list[str]:
    """Heads of "the ..." groups: the last word before a function word or punctuation."""
    nouns = []
    for found in _EN_NOUN.finditer(passage):
        kept: list[str] = []
        for word in found[1].lower().split():
            if word in en_words.FUNCTION or word in en_words.NO_NAMES:
                break
            kept.append(word)
        while len(kept) > 1 and (kept[-1] in en_words.ACTS or kept[-1].endswith(_VERBAL)):
            kept.pop()  # "the third bell rings": more likely a verb than a second noun
        if kept and len(kept[-1]) > 3 and kept[-1] not in _EN_EMPTY and not kept[-1].endswith("ly"):
            nouns.append(kept[-1])
    return nouns


def nouns_of(passages: list[str], language: str) -> list[list[str]]:
    """Salient nouns of short texts that are not part of the chapter (quotes of open threads)."""
    if language == "en":
        return [en_nouns(p) for p in passages]
    try:
        lac = MODELS.lac
    except ModelMissing:
        return [[] for _ in passages]
    found: list[list[str]] = [[] for _ in passages]
    for batch in lac.tag([p[:200] for p in passages]):
        for number, tokens in batch:
            found[number] = zh_nouns(with_offsets(tokens, 0))
    return found
