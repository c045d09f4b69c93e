"""The salient words of a passage: what a later chapter would name again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import en_words, zh_words
from .models import MODELS, ModelMissing
from .zh_tokens import Word, with_offsets

_ZH_EMPTY = frozenset(
    "时候 事情 东西 地方 样子 声音 目光 眼睛 眼神 眼前 脸色 脸上 心中 心里 心头 手中 手里 身上 身边 身后 身体 身子 面前 嘴里 嘴角 "
    "头发 意思 办法 问题 感觉 消息 话语 语气 一声 一眼 片刻 瞬间 今天 明天 昨天 今日 明日 昨日 如今 现在 当年 后来 一下 一口 一步 "
    "人们 众人 大家 自己 世界 事 话 人 天下 结果 原因 时间 心思 模样 气息 力量 动作 机会 关系 情况 目的 道理 事实 部分 方向 周围 "
    "两人 二人 三人 东西 里面 外面 前面 后面 上面 下面 半句话 一句话 句话 有人 何人 公 日 底下 眼皮 脚下 工夫 功夫 情形 名字 姓名 模样 "
    "时辰 年纪 岁数 当中 中间 附近 旁边 亲手 当面 表情 神情 脾气 力气 劲儿 好处 坏处 法子 老远 半晌 个子 习惯 手指 拇指 食指 脑子 肚子 个人".split()
)
# Cuts and fillers: "那句话", "日日", "昼夜", "轻声", and parts of the body ("伤臂", "后心").
_ZH_FRAGMENT = re.compile(
    r"^[那这某每各一几两半]|^什么|^怎么|^(.)\1$|^[里外上下][头面边]|[里上下中内外前后][头面边]?$|[天日夜年月时刻]$"
    r"|[轻低小大高柔尖厉颤齐同连失朗沉冷闷]声$|[手臂脚腿眼脸心头身腰背肩唇嘴牙耳鼻眉颈胸喉膝句话]$"
)
_MODIFIERS = frozenset("吞镇封斩锁照引观听追护守破降伏回续夺焚")
# "第九层", "三长两短": counted things that a text comes back to.
_ZH_COUNTED = re.compile(
    r"第[一二三四五六七八九十百]+(?![次回天日年个遍步眼章])[\u4e00-\u9fff]"
    r"|(?:[一二三四五六七八九十两][长短轻重快慢]){2}"
)
_EN_NOUN = re.compile(
    r"\b(?:the|a|an|his|her|my|your|our|their|its|this|every|no) (?=((?:[a-z]+ ){0,2}[a-z]{3,})\b)",
    re.IGNORECASE,
)
_EN_EMPTY = en_words.FUNCTION | frozenset(
    "time times way thing things day days night nights moment place people person world life word words voice face eyes hand hands "
    "head heart mind side end part kind sort number question answer fact truth year years hour hours minute minutes morning evening "
    "room house door name matter rest back while lot bit reason idea thought look turn step glance moment instant second piece front "
    "less more town line colour color length breath shoulder foot feet knee finger fingers neck top bottom dark fight memory word "
    "man boy girl sea sky sun air bed arm arms leg legs eye ear ears lip lips job fun sir god lot use sort men end".split()
)
# Past tenses that stand right behind a subject: "the clock ran".
_EN_VERBS = (
    en_words.ACTS
    | en_words.SPEECH
    | frozenset(
        "ran rang hung lay swung rose fell broke shone blew wound woke grew flew froze burned burnt struck sank began slid stopped "
        "became belongs belonged lies hangs runs rings stands".split()
    )
)
_VERBAL = ("s", "ed", "ing", "ly")
_NOUN_TAGS = frozenset(("n", "nz", "nw", "vn", "LOC", "ORG", "PER"))


def zh_nouns(words: list[Word], taken: Sequence[tuple[int, int]] = ()) -> list[str]:
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
    return before.text if before.tag == "v" and before.text in _MODIFIERS else ""


def zh_counted(passage: str) -> list[str]:
    """What the passage counts: "第九层", "三短一长"."""
    return [found.group() for found in _ZH_COUNTED.finditer(passage)]


def _is_salient(word: Word) -> bool:
    return (
        word.tag in _NOUN_TAGS
        and 2 <= len(word.text) <= 6
        and word.text not in _ZH_EMPTY
        and word.text not in zh_words.ROLES
        and word.text not in zh_words.NOT_NAMES
        and word.text.isalnum()
        and _ZH_FRAGMENT.search(word.text) is None
    )


def en_nouns(passage: str) -> list[str]:
    """Heads of "the ..." groups: the last word before a function word or punctuation."""
    nouns = []
    for found in _EN_NOUN.finditer(passage):
        kept: list[str] = []
        for word in found[1].lower().split():
            if (
                word in en_words.FUNCTION
                or word in en_words.NO_NAMES
                or (kept and word in _EN_VERBS)
            ):
                break
            kept.append(word)
        while len(kept) > 1 and (kept[-1] in en_words.ACTS or kept[-1].endswith(_VERBAL)):
            kept.pop()  # "the third bell rings": more likely a verb than a second noun
        if (
            kept
            and len(kept[-1]) > 2
            and kept[-1] not in _EN_EMPTY
            and not kept[-1].endswith(("ly", "ed"))
        ):
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
