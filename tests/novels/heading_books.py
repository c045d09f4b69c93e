"""Small books with headings of many kinds, and what has to be found in each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NAME = "雨中书"  # of the file
SIZES = (8, 6, 11, 7, 9, 5, 12, 8)  # paragraphs of the chapters
PARAGRAPHS = {
    "zh": [
        "渡口的木桩上拴着一条旧船，缆绳磨得发白。老船工蹲在石阶上抽烟，半天没有说一句话。",
        "“你来了？”她问。",
        "“来了。”",
        "她把伞收起来，靠在门边，水顺着伞尖流成一条细线。屋里的人都看着她，谁也不肯先让座。",
        "雨停了。",
        "夜里起了风，窗纸响个不停。他数着更声，数到后来自己也糊涂了，只记得灯灭过一回。",
        "“走！”",
        "集市散得很早，卖鱼的担子空着往回走。桥头的孩子还在等，手里攥着半块冷了的米糕。",
        "没有人回答。",
        "他忽然想起三年前的那个早晨，也是这样的雾，也是这样的渡船，船头站着一个不肯回头的人。",
        "“账本呢？”掌柜把算盘推到一边，“我等了你整整两天，你倒好，空着手就回来了。”",
        "街上的铺子一家接一家地上了门板，只有药铺还亮着灯。",
    ],
    "en": [
        "The old boat lay against the post with its rope worn white. The ferryman sat on the "
        "steps and smoked, and for a long while he said nothing at all.",
        "“You came,” she said.",
        "“I came.”",
        "She shut the umbrella and stood it by the door, and the water ran from its tip in a "
        "line. Everyone in the room looked at her, and nobody gave up a chair.",
        "The rain stopped.",
        "The wind rose after dark and the paper in the windows would not be still. He counted "
        "the bells until he lost count, and knew only that the lamp had gone out once.",
        "“Go!”",
        "The market closed early, and the men with the fish baskets walked home empty. A child "
        "waited on the bridge with half a cold cake in its hand.",
        "Nobody answered.",
        "He remembered the morning three years before, the same fog and the same ferry, and at "
        "its bow somebody who would not look back.",
        "“Where is the ledger?” The clerk pushed his beads aside. “I waited two days for you.”",
        "One shop after another put up its boards; only the chemist kept a light.",
    ],
    "ru": [
        "Старая лодка стояла у столба, и верёвка её побелела. Перевозчик сидел и долго молчал.",
        "— Ты пришла? — спросил он.",
        "— Пришла.",
        "Она закрыла зонт и поставила его у двери, и вода стекала с него тонкой струйкой.",
        "Ночью поднялся ветер, и бумага на окнах не умолкала. Он считал удары, пока не сбился.",
    ],
    "de": [
        "Das alte Boot lag am Pfahl, und sein Seil war weiß gescheuert. Der Fährmann saß auf den "
        "Stufen und rauchte und sagte lange kein Wort.",
        "»Du bist gekommen?«, fragte er.",
        "Sie stellte den Schirm neben die Tür, und das Wasser lief in einer Linie von der Spitze.",
        "Nach Einbruch der Dunkelheit kam Wind auf, und das Papier wollte nicht still sein.",
    ],
    "fr": [
        "La vieille barque était amarrée au poteau, la corde usée jusqu'au blanc. Le passeur "
        "fumait sur les marches et ne disait rien.",
        "— Vous êtes venue ? demanda-t-il.",
        "Elle posa le parapluie près de la porte, et l'eau coula de sa pointe en un mince filet.",
        "Le vent se leva après la tombée du jour et le papier des fenêtres ne cessa de bruire.",
    ],
    "ko": [
        "낡은 배는 말뚝에 묶여 있었고 밧줄은 하얗게 닳아 있었다. 늙은 사공은 돌계단에 앉아 아무 "
        "말도 하지 않았다.",
        "“왔느냐?” 그가 물었다.",
        "그녀는 우산을 접어 문가에 세웠고, 물이 우산 끝에서 가느다란 줄로 흘러내렸다.",
        "밤이 되자 바람이 일어 창호지가 그치지 않고 울었다.",
    ],
    "ja": [
        "　古い舟は杭につながれ、綱は白く擦り切れていた。老いた渡し守は何も言わなかった。",
        "「来たのか」と彼は訊いた。",
        "　彼女は傘を閉じて戸口に立てかけた。水は傘の先から細い線になって流れた。",
        "　夜になって風が起こり、窓の紙は鳴りやまなかった。",
    ],
}
# Blank lines between paragraphs, whether these are set in, blank lines around a heading.
LAYOUTS = {
    "blank": (1, False, 1),
    "close": (0, False, 0),
    "indent": (0, True, 1),
    "headgap": (0, False, 1),
    "gap": (1, False, 3),
    "indentblank": (1, True, 1),
}


@dataclass(frozen=True)
class Book:
    """``chapters``: a part of each title, and how many characters the chapter has."""

    about: str
    text: str
    chapters: list[tuple[str, int]]


def books(file: str) -> dict[str, list[Book]]:
    """The books of a file by their kind."""
    found: dict[str, list[Book]] = defaultdict(list)
    kind = ""
    for line in Path(__file__).with_name(file).read_text().splitlines():
        if line.startswith("## "):
            kind = line[3:]
        elif kind == "prose":
            found[kind] += _prose(line)
        elif line and not line.startswith("#"):
            found[kind].append(_book(line))
    return found


def paragraphs(language: str, number: int) -> list[str]:
    pool = PARAGRAPHS[language]
    count = SIZES[number % len(SIZES)]
    return [pool[(number * 5 + at * 7) % len(pool)] for at in range(count)]


def _book(line: str) -> Book:
    about, *items = (part.strip() for part in line.split(" | "))
    language, layout = about.split()
    lines: list[str] = []
    chapters: list[tuple[str, int]] = []
    for item in items:
        told, _arrow, title = item.partition(" => ")
        word, _colon, rest = told.partition(": ")
        outside = word in ("volume", "front")
        printed = (rest if outside else told).split("⏎")
        lines += [*[""] * LAYOUTS[layout][2], *printed]
        if not outside:
            body = laid_out(paragraphs(language, len(chapters)), language, layout)
            lines += ["", *body] if LAYOUTS[layout][2] else body
            chapters.append((title or told, len("\n".join(body))))
    return Book(line, "\n".join(lines).strip("\n") + "\n", chapters)


def laid_out(rows: list[str], language: str, layout: str) -> list[str]:
    between, inset, _around = LAYOUTS[layout]
    indent = ("　　" if language in ("zh", "ja") else "    ") if inset else ""
    lines = [line for row in rows for line in (*[""] * between, indent + row)]
    return lines[between:]


def _prose(line: str) -> Iterator[Book]:
    """A chapter, and a text without chapters, with the lines in it."""
    about, *rows = (part.strip() for part in line.split(" | "))
    language, layout = about.split()
    flush = {"indent": "close", "indentblank": "blank"}.get(layout, layout)
    joined = laid_out(rows, "", flush)
    told = [laid_out(paragraphs(language, at), language, layout) for at in range(3)]
    inside = ["", *joined, ""]
    whole = [*told[0], *inside, *told[1], *inside, *told[2]]
    yield Book(f"alone: {line}", "\n".join(whole), [(NAME, len("\n".join(whole)))])
    heads = ["第一章 归航", "第二章 旧灯"] if language == "zh" else ["Chapter One", "Chapter Two"]
    first = [*told[0], *inside, *told[1]]
    text = "\n".join([heads[0], "", *first, "", heads[1], "", *told[2]])
    sizes = [len("\n".join(body)) for body in (first, told[2])]
    yield Book(f"within: {line}", text, list(zip(heads, sizes, strict=True)))
