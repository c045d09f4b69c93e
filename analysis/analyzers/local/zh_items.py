"""Named things of a Chinese chapter, by their endings and by how they are handled."""

from __future__ import annotations

from collections import defaultdict

from .known import Lexicon
from .zh_names import _ALL_CJK, _FUNCTION
from .zh_tokens import Word

# Endings that make a thing worth keeping track of.
_ENDINGS = tuple(
    "剑 刀 枪 戟 斧 锤 鞭 弓 箭 匕首 长矛 盾 铠甲 甲 袍 印 玉玺 鼎 炉 珠 镜 丹 丹药 符 符箓 玉简 残简 简 令 令牌 玉佩 佩 玉 玉珏 钥匙 图 "
    "地图 卷轴 秘籍 剑谱 经 真经 心法 诀 塔 幡 旗 琴 笛 箫 扇 戒 戒指 指环 镯 手镯 项链 石 灵石 晶石 晶核 水晶 草 灵草 果 葫芦 瓶 "
    "匣 盒 铃 钟 灯 棺 杖 拂尘 罗盘 阵盘 大阵 怀表 手枪 芯片 硬盘 录音笔 U盘 日记 账本 密信 信物 面具 铜钱 令箭 虎符 圣旨 诏书 密诏".split()
)
_MEASURES = frozenset(
    "把 柄 枚 颗 口 件 张 卷 本 块 支 杆 面 座 尊 只 粒 株 封 串 根 方 盏 对 幅 道 那枚 这枚 那把 这把 那块 这块 半块 半枚 一枚 一把 一块 一柄 一张 一卷 一本 一封 一颗 一面 一只".split()
)
_HANDLING = frozenset(
    "拿 拿出 取 取出 握 握着 握住 拔 拔出 掏出 摸出 拿起 举起 祭出 挥 挥动 提 提着 捧 捧着 抽出 持 执 递 递给 递过 交出 交给 "
    "得到 获得 抢 夺 夺走 偷 偷走 盗 找到 寻找 打开 收起 藏 带着 佩 佩戴 戴 戴着 捡起 接过 吞下 服下 炼制 炼 按 按住 按进 用 以 把 将 是".split()
)
_COMMON = frozenset(
    "石头 宝剑 长剑 短剑 刀剑 刀枪 弓箭 大刀 钢刀 长刀 手枪 步枪 拳头 衣袍 长袍 道袍 地图 图 经 曾经 已经 神经 钟 灯 电灯 台灯 油灯 灯笼 丹 药丹 "
    "命令 口令 法令 号令 下令 军令 司令 衣甲 指甲 盔甲 眼珠 泪珠 汗珠 水珠 铜镜 镜 眼镜 简 书简 玉 美玉 果 如果 结果 效果 水果 草 小草 野草 花草 "
    "印 脚印 手印 瓶 花瓶 酒瓶 盒 匣 企图 意图 试图 心经 分钟 秒钟 时钟 一盏灯 岩石 山石 巨石 基石 宝石 玉石 火炉 香炉 香 佩 敬佩 令 钥匙 面具 杖 拐杖 旗 红旗 国旗 "
    "日记 铜钱 扇 折扇 蒲扇 拐棍 琴 钢琴 笛 戒 鞭 马鞭 长鞭 皮鞭 长枪 木枪 棺 项链 戒指 手镯 葫芦 灵丹 仙丹 符 音符".split()
)


# Verbs and parts of the body that the tagger joins to the thing: "扫地", "手摸".
_NO_START = frozenset("手脚扫擦摸敲撞拿买卖修砸是有在把")


def find_items(
    text: str, lines: list[list[Word]], taken: set[str]
) -> dict[str, list[tuple[int, int]]]:
    """Names of things with their spans; ``taken`` forms name somebody or somewhere."""
    strength: dict[str, int] = defaultdict(int)
    for line in lines:
        for at, word in enumerate(line):
            if word.tag in ("n", "nz", "nw", "PER", "LOC") and word.text.endswith(_ENDINGS):
                form, first = _grown(line, at)
                if _worthy(form, taken):
                    strength[form] += 1 + 2 * _handled(line, first)
    # Two characters are any knife or lamp until the chapter comes back to them.
    chosen = {
        f
        for f, s in strength.items()
        if (s >= 3 and (len(f) > 2 or text.count(f) > 1)) or (s >= 2 and len(f) >= 3)
    }
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for start, end in Lexicon(chosen, whole_words=False).scan(text):
        spans[text[start:end]].append((start, end))
    return dict(spans)


def _grown(line: list[Word], at: int) -> tuple[str, int]:
    """With "墨" + "玉佩" as with "长命" + "锁": the word with the short adjectives and nouns that belong to it."""
    form, first = line[at].text, at
    while first and len(form) < 4:
        before = line[first - 1]
        if before.tag not in ("a", "n", "nz", "an") or len(before.text) + len(form) > 5:
            break
        if len(before.text) > 2 or before.text in _COMMON or _FUNCTION.intersection(before.text):
            break
        form, first = before.text + form, first - 1
    return form, first


def _handled(line: list[Word], first: int) -> bool:
    before = [w.text for w in line[max(0, first - 3) : first]]
    if before and (before[-1] in _MEASURES or before[-1][-1:] in "把柄枚颗"):
        return True
    return any(word.rstrip("了着过") in _HANDLING for word in before)


def _worthy(form: str, taken: set[str]) -> bool:
    return (
        2 <= len(form) <= 6
        and form[0] not in _NO_START
        and not (len(form) == 2 and form[0] in "大小新旧老破空短长好真假")
        and form not in _COMMON
        and form not in taken
        and _ALL_CJK.match(form) is not None
        and not _FUNCTION.intersection(form)
    )
