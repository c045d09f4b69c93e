"""Contradictions that the offline analyzer and the fold find together, and those that are none."""

from __future__ import annotations

import pytest

from analysis.analyzers.base import ChapterInput, KnownCharacter, KnownEntity, Language
from analysis.analyzers.local import LocalAnalyzer
from analysis.pipeline import run
from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.continuity import CONTRADICTIONS
from arboris.bible.fold.fold import Fold
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Notice, Person, WorldEntry
from arboris.bible.types.placed_finding import PlacedFinding

pytestmark = pytest.mark.sqlite_only

PEOPLE = {"zh": ("程砚", "骆青梅", "鲁三更"), "en": ("Marian Holt", "Jasper Quill", "Old Tobin")}
ITEMS = {"zh": ("赤霄剑",), "en": ("silver locket",)}


def told(language: Language, *chapters: str) -> list[Notice]:
    """The contradictions of a novel whose people and things are known from its first chapter."""
    store = MemoryEntryStore()
    folding = Fold(store, Rules())
    analyzer = LocalAnalyzer()
    # Each of them is named in the first chapter, or nobody would be in the bible.
    cast = "，".join(PEOPLE[language] + ITEMS[language])
    for number, text in enumerate((f"{cast}。\n{chapters[0]}", *chapters[1:]), 1):
        chapter = ChapterInput(
            text=text,
            language=language,
            chapter_number=number,
            known_characters=tuple(
                KnownCharacter(at, name) for at, name in enumerate(PEOPLE[language])
            ),
            known_entities=tuple(KnownEntity("item", name) for name in ITEMS[language]),
        )
        outcome = run(analyzer, chapter, {}, {}, lambda *_: None)
        folding.chapter(
            [
                PlacedFinding(number, number, stated.finding, stated.tier)
                for stated in outcome.findings
                if stated.verified
            ]
        )
    assert {Person, WorldEntry} <= {type(entry) for entry in store.entries.values()}
    return [
        notice
        for entries in store.chapters.values()
        for notice in entries.notices.values()
        if notice.kind in CONTRADICTIONS
    ]


@pytest.mark.parametrize(
    ("language", "kind", "earlier", "later"),
    [
        ("zh", "dead_acts", "鲁三更病死了。", "鲁三更推开门，咳了两声。"),
        ("zh", "dead_acts", "“鲁三更死了。”程砚低声说。", "鲁三更坐在桌边。"),
        ("zh", "dead_acts", "程砚一刀杀了鲁三更。", "“鲁三更昨天来找过我。”骆青梅说。"),
        ("zh", "looks", "骆青梅有一双湛蓝的眼睛。", "骆青梅抬起头，褐色的眼睛里没有光。"),
        ("zh", "looks", "程砚左脸上有一道刀疤。", "程砚摸了摸右脸上的刀疤。"),
        ("zh", "looks", "鲁三更失去了右臂。", "鲁三更双手抱住木桶。"),
        ("zh", "looks", "程砚一头金发。", "程砚黑色的头发湿透了。"),
        ("zh", "age", "程砚今年十九岁。", "程砚今年十六岁，还没有出过远门。"),
        (
            "zh",
            "item_in_two_hands",
            "程砚接过赤霄剑，系在腰间。",
            "骆青梅手里提着赤霄剑，站在桥头。",
        ),
        ("zh", "dead_acts", "鲁三更当场就没气了。", "鲁三更抱着一坛酒，站在门口。"),
        ("zh", "dead_acts", "鲁三更被人一剑穿心。", "鲁三更回过头来，咳了一声。"),
        ("zh", "looks", "程砚左手只剩三根指头。", "程砚摊开左手，五根手指沾满了墨。"),
        ("zh", "looks", "骆青梅右手手背上有一块烫伤。", "骆青梅伸出左手，手背上那块烫伤发红。"),
        ("zh", "looks", "骆青梅眉心有一颗红痣。", "骆青梅擦了擦下巴上的红痣。"),
        ("zh", "looks", "鲁三更瞎了左眼。", "鲁三更一双眼睛瞪得滚圆。"),
        ("zh", "age", "2019年冬，程砚今年十九岁。", "2020年春，程砚今年二十五岁。"),
        ("zh", "age", "“你多大了？”程砚问。\n“十六。”骆青梅说。", "骆青梅今年二十岁。"),
        (
            "zh",
            "two_places",
            "腊月十五这天，程砚一直在府衙里看账。",
            "有人看见，腊月十五那天，程砚在扬州的茶楼里喝茶。",
        ),
        (
            "en",
            "two_places",
            "On Friday night Jasper Quill was at the theatre.",
            "Marian Holt said that Jasper Quill was in the castle on Friday night.",
        ),
        ("zh", "age", "景和三年，程砚今年十九岁。", "景和三年，程砚今年二十四岁。"),
        (
            "zh",
            "item_in_two_hands",
            "程砚接过赤霄剑，系在腰间。",
            "骆青梅看了看赤霄剑，收进了箱子。骆青梅把赤霄剑收进怀里。",
        ),
        ("en", "dead_acts", "Old Tobin died in the night.", "Old Tobin walked in."),
        ("en", "dead_acts", "Old Tobin was found hanged.", "Old Tobin was mending a net."),
        (
            "en",
            "looks",
            "Jasper Quill was a cheerful man with two fingers gone from his left hand.",
            "Jasper Quill counted off the days on the five fingers of his left hand.",
        ),
        (
            "en",
            "looks",
            "Jasper Quill limped. He was lame in his left leg.",
            "Jasper Quill sighed. He had a limp in his right leg.",
        ),
        ("en", "looks", "Old Tobin had one glass eye.", "Old Tobin winked with both blue eyes."),
        (
            "en",
            "looks",
            "Old Tobin had one glass eye.",
            "Old Tobin came in. He winked at Marian Holt with both blue eyes.",
        ),
        ("en", "age", "Jasper Quill was a pale young man of thirty.", "Jasper Quill was forty."),
        (
            "en",
            "item_in_two_hands",
            "Marian Holt picked up the blue bottle and dropped it into her handbag.",
            "Jasper Quill drew the blue bottle from his own coat.",
        ),
        ("en", "dead_acts", "Jasper Quill killed Old Tobin.", '"Sit down," said Old Tobin.'),
        ("en", "looks", "Marian Holt had green eyes.", "Marian Holt smiled. Her brown eyes shone."),
        (
            "en",
            "looks",
            "Jasper Quill had lost his left hand in the war.",
            "Jasper Quill lifted the box with both hands.",
        ),
        (
            "en",
            "looks",
            "Jasper Quill had a scar on his left cheek.",
            "Jasper Quill laughed. The scar on his right cheek went white.",
        ),
        ("en", "age", "Marian Holt was thirty.", "Marian Holt was twenty-six, and tired."),
        (
            "en",
            "item_in_two_hands",
            "Marian Holt slipped the silver locket into her pocket.",
            "Jasper Quill took the silver locket from his bag.",
        ),
    ],
)
def test_a_contradiction_is_told_with_both_passages(
    language: Language, kind: str, earlier: str, later: str
) -> None:
    (notice,) = told(language, earlier, later, later)  # once, however often it is repeated
    assert notice.kind == kind
    assert notice.data["earlier"]["chapter_id"] == 1
    assert notice.data["earlier"]["quote"] in earlier
    assert notice.data["later"]["chapter_id"] == 2
    assert notice.data["later"]["quote"] in later


@pytest.mark.parametrize(
    ("language", "earlier", "later"),
    [
        ("zh", "鲁三更病死了。", "程砚想起鲁三更。那年冬天，鲁三更坐在桌边。"),
        ("zh", "鲁三更病死了。", "鲁三更的坟前长满了草。"),
        ("zh", "程砚听说鲁三更死了。", "鲁三更推开门。"),
        ("zh", "要是鲁三更死了，谁来撑船？", "鲁三更推开门。"),
        ("zh", "鲁三更笑死了。", "鲁三更推开门。"),
        ("zh", "骆青梅有一双湛蓝的眼睛。", "骆青梅的眼睛像是碧绿的湖水，她梦见自己变成了黑眼睛。"),
        ("zh", "骆青梅有一双湛蓝的眼睛。", "骆青梅看见一个孩子，褐色的眼睛又大又圆。"),
        ("zh", "程砚左脸上有一道刀疤。", "程砚左脸上的刀疤隐隐作痛。"),
        ("zh", "程砚今年十九岁。", "三年后，程砚今年二十二岁。"),
        ("zh", "永平三年春，程砚今年十九岁。", "永平六年春，程砚今年二十二岁。"),
        ("zh", "程砚今年十九岁。", "程砚十二岁那年死了娘。"),
        ("zh", "2019年冬，程砚今年十九岁。", "2020年春，程砚今年二十岁。"),
        ("zh", "腊月十五这天，程砚一直在府衙里。", "腊月十六这天，程砚一直在茶楼里。"),
        ("zh", "腊月十五上午，程砚在府衙里。", "腊月十五晚上，程砚在茶楼里。"),
        (
            "en",
            "On Friday night Jasper Quill was at the theatre.",
            "On Saturday night Jasper Quill was in the castle.",
        ),
        ("zh", "程砚接过赤霄剑。", "程砚把赤霄剑递给骆青梅。骆青梅握着赤霄剑不放。"),
        ("zh", "骆青梅右手手背上有一块烫伤。", "骆青梅伸出左脚，脚踝上有一块烫伤。"),
        ("zh", "骆青梅笑了。骆青梅说：“走吧。”", "“走吧。”骆青兰笑道。骆青兰转身出了门。"),
        ("zh", "程砚接过赤霄剑。", "程砚把赤霄剑交给了她。骆青梅把赤霄剑收进怀里。"),
        ("en", "Old Tobin slept in his boat.", '"Come in," said Old Robin. Old Robin smiled.'),
        (
            "en",
            "Marian Holt laughed. Later Marian Holt sang.",
            '"Come in," said Mark Holt. Mark Holt smiled.',
        ),
        (
            "en",
            "Marian Holt picked up the blue bottle and dropped it into her handbag.",
            "Marian Holt gave the blue bottle to him. "
            "Jasper Quill drew the blue bottle from his coat.",
        ),
        ("en", "Old Tobin died in the night.", "Marian Holt remembered how Old Tobin laughed."),
        ("en", "Old Tobin nearly died in the night.", "Old Tobin walked in."),
        ("en", "Marian Holt had green eyes.", "Marian Holt saw a child with brown eyes."),
        ("en", "Marian Holt had black hair.", "Marian Holt's hair was white now."),
        ("en", "Marian Holt was thirty.", "Nine years later Marian Holt was thirty-nine."),
        (
            "en",
            "Marian Holt slipped the silver locket into her pocket.",
            "Marian Holt gave the silver locket to Jasper Quill. He put it in his bag.",
        ),
    ],
)
def test_what_is_explained_is_no_contradiction(
    language: Language, earlier: str, later: str
) -> None:
    assert not told(language, earlier, later)


@pytest.mark.parametrize(
    ("language", "earlier", "later", "name"),
    [
        (
            "zh",
            "骆青梅笑了。骆青梅说：“走吧。”",
            "“走吧。”骆清梅笑道。骆清梅转身出了门。",
            "骆清梅",
        ),
        (
            "en",
            "Marian Holt laughed. Later Marian Holt sang.",
            '"Come in," said Marion Holt. Marion Holt smiled.',
            "Marion Holt",
        ),
    ],
)
def test_a_name_that_drifts_is_told_once(
    language: Language, earlier: str, later: str, name: str
) -> None:
    (notice,) = told(language, earlier, later, later)
    assert (notice.kind, notice.subject) == ("name_drift", name)
    assert notice.data["later"]["quote"] in later
