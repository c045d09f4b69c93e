"""Ways in which models write the same answer, after what real ones do. Each is a row of ``CASES``.

A row takes the right answer to one feature's question and returns what is written instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tests.analysis.llm_answers import someone

Plain = dict[str, Any]
Written = Callable[[Plain], str]

RIGHT: dict[str, Plain] = {
    "character_tracking": {
        "characters": [
            someone("沈砚秋", "沈砚秋推开听雨楼的门"),
            someone("顾长风", "顾长风说着，把青铜钥匙递给他"),
        ],
        "changes": [
            {
                "character": "沈砚秋", "kind": "possession", "description": "得到青铜钥匙",
                "quote": "把青铜钥匙递给他", "confidence": 0.9, "growth_level": 0,
            }
        ],
        "relations": [],
    },
    "new_character_detection": {
        "characters": [
            someone("沈砚秋", "沈砚秋推开听雨楼的门", role="main", description="来客",
                    personality="", goals="", abilities=""),
            someone("顾长风", "顾长风说着，把青铜钥匙递给他", role="main", description="急于动身",
                    personality="", goals="", abilities=""),
        ]
    },
    "world_expansion": {
        "entities": [
            {"kind": "location", "name": "听雨楼", "aliases": [], "description": "城中的楼",
             "quote": "沈砚秋推开听雨楼的门", "confidence": 0.9},
            {"kind": "item", "name": "青铜钥匙", "aliases": [], "description": "一把钥匙",
             "quote": "把青铜钥匙递给他", "confidence": 0.9},
        ]
    },
    "foreshadowing": {
        "seeds": [
            {"kind": "mystery", "description": "铃为何自己响", "keywords": ["铃"],
             "quote": "窗外的铃响了三声", "confidence": 0.9}
        ],
        "payoffs": [],
    },
    "continuity": {
        "contradictions": [
            {"fact": 1, "earlier": "门早就封死了", "kind": "looks", "item": "", "holder": "",
             "description": "封死的门开了", "quote": "沈砚秋推开听雨楼的门", "confidence": 0.9}
        ]
    },
}  # fmt: skip

ZH_KEYS = {
    "characters": "人物", "changes": "变化", "relations": "关系", "entities": "设定",
    "seeds": "伏笔", "payoffs": "伏笔回收", "name": "姓名", "quote": "原文",
    "confidence": "置信度", "kind": "类型",
    "description": "描述", "role": "定位", "aliases": "别名", "character": "人物",
    "keywords": "关键词", "contradictions": "前后矛盾", "fact": "事实编号", "earlier": "前文原文",
}  # fmt: skip
ZH_WORDS = {
    "main": "主角", "location": "地点", "item": "物品", "mystery": "悬念", "possession": "物品得失",
    "looks": "外貌",
}  # fmt: skip
OTHER_WORDS = {
    "main": "protagonista", "location": "場所", "item": "objet", "mystery": "謎團",
    "possession": "得失", "looks": "容貌",
}  # fmt: skip
EN_WORDS = {
    "main": "Protagonist", "location": "Place", "item": "Artifact", "mystery": "Open Question",
    "possession": "Acquisition", "looks": "Appearance",
}  # fmt: skip


def dumps(value: Any, **more: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **more)


def each(change: Callable[[Plain], Any]) -> Written:
    """With every entry of every list changed."""

    def written(right: Plain) -> str:
        copy = json.loads(dumps(right))
        for entries in copy.values():
            entries[:] = [entry if (new := change(entry)) is None else new for entry in entries]
        return dumps(copy)

    return written


def setting(**values: Any) -> Written:
    return each(lambda e: e.update({k: v for k, v in values.items() if k in e}))


def words(table: dict[str, str]) -> Written:
    return each(lambda e: {k: table.get(v, v) if isinstance(v, str) else v for k, v in e.items()})


def renamed(value: Any, name: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [renamed(one, name) for one in value]
    if isinstance(value, dict):
        return {name(key): renamed(one, name) for key, one in value.items()}
    return value


def camel(key: str) -> str:
    return re.sub(r"_(\w)", lambda m: m[1].upper(), key)


def main(right: Plain) -> str:
    return next(iter(right))


def grouped(right: Plain) -> str:
    """The entries of each kind under its own name."""
    if "entities" not in right:
        return dumps(right)
    groups: dict[str, list[Any]] = {}
    for entry in right["entities"]:
        groups.setdefault(entry["kind"] + "s", []).append({**entry, "kind": None})
    return dumps({key: [{k: v for k, v in e.items() if v is not None} for e in entries]
                  for key, entries in groups.items()})  # fmt: skip


def by_name(right: Plain) -> str:
    """{"Anne": {…}} in place of [{"name": "Anne", …}]."""
    return dumps({
        key: {e.pop("name"): e for e in map(dict, entries)}
        if entries and "name" in entries[0] else entries
        for key, entries in right.items()
    })  # fmt: skip


def draft(right: Plain) -> str:
    return dumps({main(right): []})


def among_bad(right: Plain) -> str:
    bad = [{"name": "无名"}, 7, "一句话", {"kind": "?", "description": None}]
    return dumps({**right, main(right): [bad[0], *right[main(right)], *bad[1:]]})


CASES: dict[str, Written] = {
    # confidence
    "percent": setting(confidence=92),
    "percent sign": setting(confidence="92%"),
    "points of ten": setting(confidence=9),
    "of ten": setting(confidence="9/10"),
    "text": setting(confidence="0.9"),
    "full width": setting(confidence="０．９"),
    "word": setting(confidence="High"),
    "chinese word": setting(confidence="高"),
    "not sure what": setting(confidence="?"),
    "decimal comma": setting(confidence="0,9"),
    "tenths": setting(confidence="九成"),
    "without": each(lambda e: {k: v for k, v in e.items() if k != "confidence"}),
    # words and names
    "words in chinese": words(ZH_WORDS),
    "words of other tools": words(EN_WORDS),
    "words of other languages": words(OTHER_WORDS),
    "upper case": words({word: word.upper() for word in ZH_WORDS}),
    "two words": words({word: f"{word}/{zh}" for word, zh in ZH_WORDS.items()}),
    "keys in chinese": lambda right: dumps(renamed(right, lambda k: ZH_KEYS.get(k, k))),
    "keys in camel case": lambda right: dumps(renamed(right, camel)),
    "a slip in the keys": lambda right: dumps(
        {f"{key[:2]}{key[3:]}" if len(key) > 7 else key: v for key, v in right.items()}
    ),
    "keys with capitals": lambda right: dumps(renamed(right, str.title)),
    # values
    "ids as text": each(lambda e: {**e, **({"known_id": "null"} if "known_id" in e else {})}),
    "nothing in words": setting(aliases="无", known_id="", growth_level="0"),
    "names in one text": setting(aliases="砚秋、长风", keywords="铃，窗外"),
    "texts as lists": each(lambda e: {**e, "quote": [e["quote"]]}),
    "a quote with its place": each(lambda e: {**e, "quote": {"text": e["quote"], "line": 1}}),
    "level as a word": setting(growth_level="none"),
    # shapes
    "null for lists": lambda right: dumps({k: v or None for k, v in right.items()}),
    "no empty lists": lambda right: dumps({k: v for k, v in right.items() if v}),
    "words for an empty list": lambda right: dumps({k: v or "无" for k, v in right.items()}),
    "one for a list": lambda right: dumps(
        {k: v[0] if len(v) == 1 else v for k, v in right.items()}
    ),
    "a wrapper": lambda right: dumps({"result": {"output": right}, "status": "ok"}),
    "a list around it": lambda right: dumps([right]),
    "json in a text": lambda right: dumps({"answer": dumps(right)}),
    "entries without the object": lambda right: dumps(
        [one for entries in right.values() for one in entries]
    ),
    "an entry a line": lambda right: "\n".join(
        dumps(one) for entries in right.values() for one in entries
    ),
    "an object for each list": lambda right: "\n".join(dumps({k: v}) for k, v in right.items()),
    "a key around each entry": each(lambda e: {"entry": e}),
    "numbered": lambda right: dumps(
        {k: {str(n): e for n, e in enumerate(v, 1)} or [] for k, v in right.items()}
    ),
    "fenced json in a text": lambda right: dumps({"content": f"```json\n{dumps(right)}\n```"}),
    "by kind": grouped,
    "by name": by_name,
    "bad ones among them": among_bad,
    # broken JSON
    "a comma too many": lambda right: dumps(right, indent=1).replace("}\n ]", "},\n ]"),
    "comments": lambda right: dumps(right, indent=1).replace("[\n", "[ // 列表\n", 1),
    "single quotes": lambda right: str(right),
    "bare quotes inside": lambda right: each(
        lambda e: {**e, "description": '人称"秋郎"，在"楼上"'}
    )(right).replace('\\"', '"'),
    "no end": lambda right: dumps(right).rstrip("}").rstrip("]"),
    "bare keys": lambda right: re.sub(r'"(\w+)":', r"\1:", dumps(right)),
    "chinese punctuation": lambda right: dumps(right).replace('": ', '"：').replace(", ", "，"),
    "chinese quotes": lambda right: re.sub(r'"(\w*)"', r"“\1”", dumps(right)),
    # around it
    "fence": lambda right: f"好的，结果如下：\n```json\n{dumps(right)}\n```\n希望有帮助！",
    "fence without an end": lambda right: f"```json\n{dumps(right)}",
    "draft in any tag": lambda right: (
        f"<反思>先列一个：{draft(right)}</反思>\n<plan>{draft(right)}</plan>{dumps(right)}"
    ),
    "draft in known tags": lambda right: (
        f"<seed:think>{draft(right)}</seed:think>[THINK]{draft(right)}[/THINK]{dumps(right)}"
    ),
    "lone end of any tag": lambda right: f"{draft(right)} 不对，重来。</inner>\n{dumps(right)}",
    "channels": lambda right: (
        f"<|channel|>analysis<|message|>{draft(right)}<|end|><|start|>assistant"
        f"<|channel|>final <|constrain|>json<|message|>{dumps(right)}<|return|>"
    ),
    "answer in a tag": lambda right: f"<think>嗯。</think><answer>{dumps(right)}</answer>",
    "draft, then the answer": lambda right: f"草稿：{draft(right)}\n定稿：{dumps(right)}",
    # names and quotes
    "names with a gloss": each(
        lambda e: {k: f"{v}（来客）" if k in ("name", "character") else v for k, v in e.items()}
    ),
    "a gloss with the name": each(
        lambda e: {k: f"那个人 ({v})" if k in ("name", "character") else v for k, v in e.items()}
    ),
    "names in other dress": each(
        lambda e: {k: f"**{v[:1]} {v[1:]}**" if k == "name" else v for k, v in e.items()}
    ),
    "quotes with a label": each(lambda e: {**e, "quote": f"原文：{e['quote']}"}),
    "quotes with marks": each(lambda e: {**e, "quote": f"**{e['quote'][:2]}**{e['quote'][2:]}"}),
    "shortened quotes": each(lambda e: {**e, "quote": e["quote"][:4] + "……" + e["quote"][-4:]}),
    "quotes in quotes": each(lambda e: {**e, "quote": f"“{e['quote']}……”"}),
}
