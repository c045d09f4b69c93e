"""Who and what a Chinese chapter names, by the learned verdict. The weights know none of these
texts: what is trained on stands in analysis/training."""

from __future__ import annotations

import json

import pytest

from analysis.analyzers.base import ChapterInput, KnownCharacter
from analysis.analyzers.local import LocalAnalyzer
from analysis.analyzers.local.zh.verdict import KINDS, WEIGHTS
from arboris.bible.types.findings import Appearance, NewCharacter, WorldFact


def named(text: str) -> tuple[set[str], set[str]]:
    """(forms of people, forms of places and groups)"""
    session = LocalAnalyzer().open(ChapterInput(text=text, language="zh", chapter_number=1))
    people, world = set[str](), set[str]()
    for feature in ("new_character_detection", "world_expansion"):
        for finding in session.run(feature, lambda _: None).findings:
            if isinstance(finding, NewCharacter):
                people |= {finding.name, *finding.aliases}
            elif isinstance(finding, WorldFact) and finding.type in ("location", "faction"):
                world |= {finding.name, *finding.aliases}
    return people, world


CASES = [
    (  # Latin names among Chinese ones
        """Oscar 推开会议室的门，汪晓雯已经坐在里面了。
“Vivian 呢？”Oscar 问。
“Vivian 去接客户了。”汪晓雯说，“她让你先看合同。”
Oscar 翻了两页，皱起眉头：“这不是 Vivian 写的。”
汪晓雯没有说话。这时 Vivian 走了进来。""",
        {"Oscar", "Vivian", "汪晓雯"},
        set(),
        set(),
    ),
    (  # Japanese names are not cut short
        """“小早川同学，请留步。”神谷修一说道。
高木美咲停下脚步，看了神谷修一一眼：“老师找我吗？”
“是关于松本直人的事。”神谷修一叹了口气，“松本直人已经一个星期没来了。”
高木美咲低下头。她想起松本直人最后说的话。
“神谷修一老师，”高木美咲轻声说，“松本直人不会回来了。”""",
        {"神谷修一", "高木美咲", "松本直人"},
        set(),
        {"神谷修", "松本直", "高木美", "老师", "同学"},
    ),
    (  # transcriptions, without a dot between
        """卡洛琳把信烧了，看着火光出神。
“夫人，巴特莱来了。”女仆低声说。
“让他等着。”卡洛琳说道。巴特莱是她丈夫的律师，也是唯一一个知道真相的人。
半个小时以后，卡洛琳才走下楼。巴特莱站起身来，说：“卡洛琳，你丈夫没有死。”""",
        {"卡洛琳", "巴特莱"},
        set(),
        {"女仆", "夫人", "律师"},
    ),
    (  # places and groups, and words that are neither
        """苏怀瑾离开临川城的那天，天上飘着细雨。他一面走，一面回头看。
青云宗的弟子守在城门口，领头的正是罗成业。
“苏怀瑾，你叛出青云宗，还想走？”罗成业喝道。
“让开。”苏怀瑾说，“我要去天柱山。”
远处有个行者挑着担子走过来，看了看他们，一言不发。
天柱山在临川城以西三百里。苏怀瑾知道，罗成业不敢追到那里去。""",
        {"苏怀瑾", "罗成业"},
        {"临川城", "青云宗", "天柱山"},
        {"一面", "行者", "领头", "弟子"},
    ),
    (  # organisations, and places of several words
        """魏青禾把辞职信放在桌上，转身走出了远帆传媒。
“你真要去铁岩堡垒？”楼下，钟伯谦等着她，“灰鼠佣兵团的人已经在黑水沼泽外面了。”
“我不去铁岩堡垒。”魏青禾说，“我要去灰鼠佣兵团，把那份合同要回来。”
钟伯谦叹了口气。远帆传媒的电梯又坏了，他一层一层地走上去，心里想着黑水沼泽的那场火。""",
        {"魏青禾", "钟伯谦"},
        {"远帆传媒", "铁岩堡垒", "灰鼠佣兵团", "黑水沼泽"},
        {"电梯", "合同"},
    ),
]


@pytest.mark.parametrize(("text", "people", "world", "nobody"), CASES)
def test_names_and_what_is_none(
    text: str, people: set[str], world: set[str], nobody: set[str]
) -> None:
    found_people, found_world = named(text)
    assert people <= found_people
    assert world <= found_world
    assert not nobody & (found_people | found_world)
    assert not people & found_world


def test_one_cut_serves_the_whole_chapter() -> None:
    """The tagger cuts a name now this way and now that; the verdict is on all of its places."""
    text = "\n".join(
        [
            "佘一鸣笑了。",
            "“佘一鸣，你来。”韩铁山说道。",
            "佘一鸣走过去，韩铁山拍了拍佘一鸣的肩膀。",
            "韩铁山说，佘一鸣该下山了。",
        ]
    )
    people, _ = named(text)
    assert people == {"佘一鸣", "韩铁山"}


def test_a_place_with_and_without_its_ending_is_one() -> None:
    text = "\n".join(
        [
            "天还没亮，邵青崖就到了昆仑山。",
            "“昆仑的雪，一年比一年薄了。”守山的老人说道。",
            "邵青崖说：“我要去临安。”",
            "临安城的城门还没开，邵青崖等在城外，想着昆仑山的雪。",
            "从昆仑到临安，他走了四十天。",
        ]
    )
    session = LocalAnalyzer().open(ChapterInput(text=text, language="zh", chapter_number=1))
    found = session.run("world_expansion", lambda _: None).findings
    places = {f.name: set(f.aliases) for f in found if isinstance(f, WorldFact)}
    assert places["昆仑山"] == {"昆仑"}
    assert "昆仑" not in places


def test_a_known_name_holds_before_a_verb() -> None:
    text = "叶青看见师弟沈墨跪在阶前，雪落了沈墨一身。"
    known = (KnownCharacter(1, "沈墨"),)
    chapter = ChapterInput(text=text, language="zh", chapter_number=2, known_characters=known)
    found = LocalAnalyzer().open(chapter).run("character_tracking", lambda _: None).findings
    named = {f.name: f.mentions for f in found if isinstance(f, Appearance)}
    assert named["沈墨"] == 2
    assert "沈墨跪" not in named


def test_a_known_name_holds_before_a_verb_of_two_characters() -> None:
    chapter = ChapterInput(
        text="沈墨学会了踏浪步。",
        language="zh",
        chapter_number=2,
        known_characters=(KnownCharacter(1, "沈墨"),),
    )
    session = LocalAnalyzer().open(chapter)
    found = session.run("character_tracking", lambda _: None).findings
    assert [f.name for f in found if isinstance(f, Appearance)] == ["沈墨"]
    assert not session.run("world_expansion", lambda _: None).findings


def test_a_sentence_that_comes_back_hides_nobody() -> None:
    line = "第{}夜，宋怀民站在渡口，对何守义说：“船来了。”何守义点了点头，等着宋怀民的船。"
    assert named(line.format(1))[0] == {"宋怀民", "何守义"}
    assert named("\n".join(map(line.format, range(40))))[0] == {"宋怀民", "何守义"}


def test_the_weights_say_where_they_come_from() -> None:
    told = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    assert told["kinds"] == list(KINDS)
    assert set(told["odds"]) == {"person", "world"}
    assert all(len(weights) == len(KINDS) for weights in told["weights"].values())
    assert told["provenance"]
