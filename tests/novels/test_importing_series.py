"""Headings judged as a series: what counts up over the book is one, whatever its form."""

from __future__ import annotations

import pytest

from tests.novels.reading import titles, txt

ZH = [
    "　　渡口的木桩上拴着一条旧船，缆绳磨得发白。老船工蹲在石阶上抽烟，半天没有说一句话。",
    "　　她把伞收起来，靠在门边，水顺着伞尖流成一条细线。屋里的人都看着她，谁也不肯先让座。",
    "　　夜里起了风，窗纸响个不停。他数着更声，数到后来自己也糊涂了，只记得灯灭过一回。",
    "　　集市散得很早，卖鱼的担子空着往回走。桥头的孩子还在等，手里攥着半块冷了的米糕。",
]
EN = [
    "The old boat lay against the post with its rope worn white. The ferryman sat on the steps "
    "and smoked, and for a long while he said nothing at all.",
    "She shut the umbrella and stood it by the door, and the water ran from its tip in a line. "
    "Everyone in the room looked at her, and nobody gave up a chair.",
    "The wind rose after dark and the paper in the windows would not be still. He counted the "
    "bells until he lost count, and knew only that the lamp had gone out once.",
    "The market closed early, and the men with the fish baskets walked home empty. A child waited "
    "on the bridge with half a cold cake in its hand.",
]


def book(heads: list[str], paragraphs: list[str], gap: str = "\n\n") -> str:
    """A text with four paragraphs and a mark under each of ``heads``."""
    parts: list[str] = []
    for number, head in enumerate(heads):
        turned = paragraphs[number % 4 :] + paragraphs[: number % 4]
        parts += [head, turned[0], f"　　记号{number}。", *turned[1:]]
    return gap.join(parts) + "\n"


def count(form: str, numbers: str, names: str = "归航 旧灯 夜渡 听雨 远客") -> list[str]:
    pairs = zip(numbers.split(), names.split(), strict=False)
    return [form.format(n=number, t=name) for number, name in pairs]


PLAIN = "一 二 三 四"
CHINESE = [
    count("第{n}章 {t}", PLAIN),
    count("第{n}章{t}", PLAIN),
    count("第{n}章：{t}", "01 02 03 04"),
    count("　　第{n}回　{t}", PLAIN),
    count("第{n}章 {t}", "壹 贰 叁 肆"),
    count("第{n}章 {t}", "拾 拾壹 拾贰 拾叁"),
    count("第{n}章 {t}", "１ ２ ３ ４"),
    count("第 {n} 章  {t}", "9 10 11 12"),
    count("第{n}章 {t}", "一九 二零 二一 二二"),
    count("第{n}折 {t}", PLAIN),
    count("第{n}幕", PLAIN),
    count("{n} {t}", "九 十 十一 十二"),
    count("{n}、{t}", "十九 二十 二十一 二十二"),
    count("第{n}夜 {t}", PLAIN),
    count("第{n}封信", PLAIN),
    count("第{n}日：{t}", PLAIN),
    count("【第{n}章】{t}", PLAIN),
    count("☆、第{n}章 {t}", PLAIN),
    count("正文 第{n}章 {t}", PLAIN),
    count("VIP卷 第{n}章 {t}", PLAIN),
    count("《渡口》第{n}章 {t}", PLAIN),
    count("{n}、{t}", PLAIN),
    count("{n}．{t}", PLAIN),
    count("{n}.{t}", "1 2 3 4"),
    count("{n}、{t}", "1 2 3 4"),
    count("{n} {t}", "001 002 003 004"),
    count("{n}", PLAIN),
    count("{n}", "1 2 3 4"),
    count("{n}", "０１ ０２ ０３ ０４"),
    count("（{n}）{t}", PLAIN),
    count("({n}) {t}", "1 2 3 4"),
    count("【{n}】{t}", "1 2 3 4"),
    count("#{n} {t}", "1 2 3 4"),
    count("— {n} —", "1 2 3 4"),
    count("{n}：{t}", "1 2 3 4"),
    count("{n}·{t}", PLAIN),
    count("{n}、{t}", "① ② ③ ④"),
    count("{n} {t}", "Ⅰ Ⅱ Ⅲ Ⅳ"),
    count("卷{n} {t}", PLAIN),
    count("卷之{n}　{t}", PLAIN),
    count("章{n} {t}", PLAIN),
    count("故事{n}：{t}", PLAIN),
    count("chapter.{n} {t}", "001 002 003 004"),
    count("Chapter {n} {t}", "1 2 3 4"),
    count("CH{n} {t}", "1 2 3 4"),
    count("Ep.{n} {t}", "1 2 3 4"),
    count("{n}話 {t}", "第一 第二 第三 第四"),
    ["第一章 归航", "第二章：灯灭了，人还在", "第三章谁在敲钟？", "第四章 雨"],
    ["第1章 雨", "第2章 " + "那一夜他终于明白灯塔上的人为什么从来不肯回头看他一眼" * 2, "第3章 归"],
    ["第一章 雨", "第二章你回来了！", "第三章（上）夜渡", "第四章《旧灯》"],
    ["第一章 雨", "第三章 灯", "第三章 船", "第七章 归"],
    ["第1章 雨", "第2-3章 灯", "第4章 船", "第5至6章 归"],
    ["第一章 雨下了一夜，灯灭了。", "第二章 谁也没来。", "第三章 船来了，人走了。"],
    ["1. 雨", "2. 灯"],
    ["chapter.007 雨"],
    ["第十一章 雨", "第十三章 灯", "第十二章 船", "第十四章 归"],
    ["楔子", "第一章 雨", "番外一 灯", "终章"],
    ["序章 雨", "1、灯", "2、船", "3、归"],
    ["一、雨", "二、灯", "三、船", "尾声"],
    ["第一章 雨", "第二章 灯", "附录二 年表", "后记：船"],
    ["제1장 비", "제2장 등불", "제3장 배", "에필로그"],
    ["1화", "2화", "3화", "4화"],
]
ENGLISH = [
    count("Chapter {n}", "1 2 3 4"),
    count("CHAPTER {n}. {t}", "I II III IV", "RAIN LAMP BOAT HOME"),
    count("Chapter {n}: {t}", "One Two Three Four", "Rain Lamp Boat Home"),
    count("{n} Chapter", "First Second Third Fourth"),
    count("Chapter the {n}", "First Second Third Fourth"),
    count("CHAPTER {n}", "TWENTY-ONE TWENTY-TWO TWENTY-THREE TWENTY-FOUR"),
    count("Ch. {n} {t}", "12 13 14 15", "Rain Lamp Boat Home"),
    count("Chap. {n}: {t}", "1 2 3 4", "Rain Lamp Boat Home"),
    count("chapter {n}", "1 2 3 4"),
    count("{n}. {t}", "I II III IV", "Rain Lamp Boat Home"),
    count("{n}", "I II III IV"),
    count("{n}.", "i ii iii iv"),
    count("{n}. {t}", "1 2 3 4", "Rain Lamp Boat Home"),
    count("{n} {t}", "1 2 3 4", "Rain Lamp Boat Home"),
    count("{n}) {t}", "1 2 3 4", "Rain Lamp Boat Home"),
    count("{n} - {t}", "1 2 3 4", "Rain Lamp Boat Home"),
    count("{n}", "One Two Three Four"),
    count("{n}: {t}", "ONE TWO THREE FOUR", "Rain Lamp Boat Home"),
    count("[{n}]", "1 2 3 4"),
    count("* {n} *", "1 2 3 4"),
    count("PART {n}—{t}", "ONE TWO THREE FOUR", "RAIN LAMP BOAT HOME"),
    count("Book {n}", "One Two Three Four"),
    count("Stave {n}: {t}", "One Two Three Four", "Rain Lamp Boat Home"),
    count("Letter {n}", "1 2 3 4"),
    count("Day {n}: {t}", "1 2 3 4", "Rain Lamp Boat Home"),
    count("Episode {n} - {t}", "1 2 3 4", "Rain Lamp Boat Home"),
    count("Chapitre {n} : {t}", "1 2 3 4", "Pluie Lampe Bateau Retour"),
    count("Kapitel {n}", "Eins Zwei Drei Vier"),
    count("{n}. Kapitel", "1 2 3 4"),
    count("{n} Kapitel", "Erstes Zweites Drittes Viertes"),
    count("Capítulo {n}. {t}", "I II III IV", "Lluvia Farol Barco Casa"),
    count("Глава {n}", "1 2 3 4"),
    count("Глава {n}", "первая вторая третья четвёртая"),
    ["Prologue", "Chapter 1", "Interlude: Rain", "Epilogue"],
    ["Chapter 1", "Chapter 2, in which nobody comes to the ferry", "Chapter 3", "Author’s Note"],
    ["Chapter 1", "Chapter 2 and the lamp that went out", "Chapter 3", "Appendix"],
    ["1. Rain", "2. Who rang the bell?", "3. “Home”", "4. Rain..."],
    ["I. THE FERRY.", "II. THE LAMP.", "III. A BELL IN THE FOG.", "IV. HOME."],
]


@pytest.mark.parametrize("heads", CHINESE, ids=lambda heads: heads[0])
@pytest.mark.parametrize("gap", ["\n\n", "\n"], ids=["blank", "close"])
def test_a_chinese_form_that_counts_up_is_believed(heads: list[str], gap: str) -> None:
    check(book(heads, ZH, gap), heads)


@pytest.mark.parametrize("heads", ENGLISH, ids=lambda heads: heads[0])
def test_a_western_form_that_counts_up_is_believed(heads: list[str]) -> None:
    check(book(heads, EN), heads)


def check(text: str, heads: list[str]) -> None:
    novel = txt(text)
    assert len(titles(novel)) == len(heads), titles(novel)
    for number, (head, chapter) in enumerate(zip(heads, novel.chapters, strict=True)):
        kept = "".join(head.removeprefix("《渡口》").split()).strip("*#☆、— 【】[]")
        assert kept.replace("】", "") in "".join(chapter.title.split()).replace("】", "")
        assert f"记号{number}。" in chapter.content
    assert novel.set_aside == []


PROSE_ZH = [
    ["第一封信里只有三个字。", "第二封信他没有拆开。", "第三封信烧掉了。"],
    [
        "第四本书记着渡口的账，他早已背熟。",
        "第三卷书还摊在桌上，灯芯爆了一下。",
        "第九部队的人撤了下来。",
    ],
    [
        "第三集市在河对岸，天不亮就开张。",
        "第二部片子散场以后，街上空无一人。",
        "第五节车厢里没有人。",
    ],
    ["比分是 3:2。", "3:2", "2:1"],
    ["08:30", "09：15 渡船开了", "10:45"],
    ["1. 盐三斤", "2. 米两斗", "3. 灯油一壶", "4. 麻绳"],
    ["一、不可回头。", "二、不可答话。", "三、不可点灯。"],
    ["（1）盐", "（2）米", "（3）油"],
    ["三。", "二。", "一。"],
    ["一", "二", "三", "走！"],
    ["2021.3.4", "2021.3.5", "2021.3.6"],
    ["3月5日，晴", "3月6日，雨", "3月7日，阴"],
    ["十年生死两茫茫，", "不思量，", "自难忘。"],
    ["一蓑烟雨任平生", "两岸猿声啼不住", "三山半落青天外"],
    ["1.5倍", "2.5倍", "3.5倍"],
    ["第一章的内容他已经忘了", "第五章、第六章都没有写完", "他翻到第二章，读了三遍。"],
    ["一人一马一把刀", "二十年后，他回来了", "三更天了"],
    ["No. 1 仓库的门开着", "2 号仓库空了", "三号仓库"],
]
PROSE_EN = [
    ["Chapter 5 had always been the part she skipped.", "Chapter 5 of the law says nothing."],
    ["Part of the roof was gone. Book after book lay in the wet.", "Chapter and verse, he said."],
    ["1. Salt", "2. Rice", "3. Oil", "4. Rope"],
    ["3:2", "8:15 a.m.", "12-0"],
    ["One.", "Two.", "Three."],
    ["I went home.", "I. he said.", "V for victory"],
    ["March 3", "March 4", "March 5"],
    ["Page 12", "Page 13", "Page 14"],
    ["Book a table for two", "Part two of the plan was simpler.", "Act as if you knew"],
    ["Once upon a time", "Two roads diverged", "Three times he called,"],
    ["1st of May", "2nd of May", "3rd of May"],
]


@pytest.mark.parametrize("lines", PROSE_ZH, ids=lambda lines: lines[0])
@pytest.mark.parametrize("indent", ["", "　　"], ids=["flush", "indented"])
def test_chinese_prose_stays_in_its_chapter(lines: list[str], indent: str) -> None:
    heads = ["第一章 归航", "第二章 旧灯", "第三章 夜渡"]
    inside = "\n".join(indent + line for line in lines)
    parts = book(heads, ZH).split("\n\n")
    for text in (
        "\n\n".join([*parts[:7], inside, *parts[7:]]),
        "\n\n".join([*parts[:7], inside.replace("\n", "\n\n"), *parts[7:]]),
    ):
        assert titles(txt(text)) == heads
    alone = "\n\n".join([*ZH, inside, *ZH, *ZH])
    assert titles(txt(alone, "雨.txt")) == ["雨"]


@pytest.mark.parametrize("lines", PROSE_EN, ids=lambda lines: lines[0])
def test_english_prose_stays_in_its_chapter(lines: list[str]) -> None:
    heads = ["Chapter One", "Chapter Two", "Chapter Three"]
    parts = book(heads, EN).split("\n\n")
    for joiner in ("\n", "\n\n"):
        text = "\n\n".join([*parts[:7], joiner.join(lines), *parts[7:]])
        assert titles(txt(text)) == heads
    alone = "\n\n".join([*EN, "\n\n".join(lines), *EN, *EN])
    assert titles(txt(alone, "rain.txt")) == ["rain"]


def test_scene_numbers_that_begin_anew_stay_in_their_chapters() -> None:
    heads = ["第一章 归航", "第二章 旧灯"]
    scenes = "\n\n".join("\n\n".join([str(n), *ZH]) for n in (1, 2, 3))
    novel = txt("\n\n".join(f"{head}\n\n{scenes}" for head in heads))
    assert titles(novel) == heads
    assert "\n3\n" in novel.chapters[0].content


@pytest.mark.parametrize(
    ("volumes", "forms"),
    [
        (["第一卷 山", "第二卷 水"], "{n}、{t}"),
        (["卷一 山", "卷二 水"], "第{n}章 {t}"),
        (["上卷", "下卷"], "第{n}回 {t}"),
        (["Book One", "Book Two"], "Chapter {n}"),
        (["Part I: Hills", "Part II: Water"], "{n}"),
        (["第一部", "第二部"], "（{n}）{t}"),
    ],
)  # fmt: skip
def test_numbers_begin_anew_in_each_volume(volumes: list[str], forms: str) -> None:
    numbers = PLAIN if not forms.isascii() else "1 2 3 4"
    chapters = count(forms, numbers)
    text = "\n\n".join(f"{volume}\n\n{book(chapters, ZH)}" for volume in volumes)
    novel = txt(text)
    found = titles(novel)
    assert len(found) == 8
    assert found[0] == f"{volumes[0]} {chapters[0]}"
    assert found[4] == f"{volumes[1]} {chapters[0]}"
    assert found[5] == chapters[1]


@pytest.mark.parametrize(
    ("listed", "heads"),
    [
        ("目录\n{}", count("{n}、{t}", PLAIN)),
        ("{}", count("第{n}章 {t}", PLAIN)),
        ("目 录\n\n{}", count("{n}.{t}", "1 2 3 4")),
        ("CONTENTS\n{}", count("Chapter {n}: {t}", "1 2 3 4")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("leader", ["", "……3", "\t12"])
def test_contents_at_the_front_are_no_chapters(listed: str, heads: list[str], leader: str) -> None:
    entries = "\n".join(head + leader for head in heads)
    novel = txt(f"{listed.format(entries)}\n\n\n{book(heads, ZH)}")
    assert titles(novel) == heads
    assert "记号0。" in novel.chapters[0].content


def test_contents_in_another_form_than_the_headings() -> None:
    names = [f"{one}{two}" for one in "风雨雪灯船桥" for two in "夜渡客楼"]
    heads = [f"第{number}章 {name}" for number, name in enumerate(names, 1)]
    for entry in ("{n} {t} …… {n}0", "{n}、{t}", "{t}"):
        rows = [entry.format(n=number, t=name) for number, name in enumerate(names, 1)]
        novel = txt("目录\n" + "\n".join(rows) + f"\n\n{book(heads, ZH)}")
        assert titles(novel) == heads
        assert novel.set_aside == []


def test_contents_that_group_their_entries_by_parts() -> None:
    parts = ["PART ONE—Hills", "PART TWO—Water"]
    heads = count("CHAPTER {n}", "ONE TWO THREE FOUR")
    names = "Rain Lamp Boat Home".split()
    listed = "\n".join(
        f"{part}\n\n" + "\n".join(f"  {name} . . . {at}1" for at, name in enumerate(names))
        for part in parts
    )
    body = "\n\n".join(f"{part}\n\n{book(heads, EN)}" for part in parts)
    for title in ("CONTENTS", "Table of Contents"):
        novel = txt(f"The River\n\n{title}\n\n{listed}\n\n\n{body}")
        assert len(titles(novel)) == 8
        assert titles(novel)[0] == "PART ONE—Hills CHAPTER ONE"
        assert titles(novel)[4] == "PART TWO—Water CHAPTER ONE"


def test_letters_before_the_first_chapter() -> None:
    heads = [*count("Letter {n}", "1 2 3"), *count("Chapter {n}", "1 2 3 4")]
    assert titles(txt(book(heads, EN))) == heads
    inside = [*heads[3:5], *heads[:3], *heads[5:]]  # a letter within a chapter is part of it
    assert titles(txt(book(inside, EN))) == heads[3:]


def test_the_licence_of_a_free_text_is_set_aside() -> None:
    start = "*** START OF THIS PROJECT GUTENBERG EBOOK THE RIVER ***"
    end = "End of Project Gutenberg's The River, by John Roe"
    body = book(count("Chapter {n}", "1 2 3 4"), EN)
    law = "\n\n".join(["1. Terms", "You may copy it.", "2. Limits", "You may not sell it."] * 5)
    novel = txt(f"Title: The River\n\n{law}\n\n{start}\n\n{body}\n\n{end}\n\n{law}")
    assert (novel.title, len(novel.chapters)) == ("The River", 4)
    assert not any("copy it" in chapter.content for chapter in novel.chapters)
    assert len(novel.set_aside) == 1
