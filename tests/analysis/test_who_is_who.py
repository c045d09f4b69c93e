"""Who is who in one chapter, offline: which names are one person's, and which are not."""

from __future__ import annotations

import pytest

from analysis.analyzers.base import ChapterInput, KnownCharacter, Language
from analysis.analyzers.local import LocalAnalyzer
from arboris.bible.types.findings import Appearance


def people(text: str, language: Language, *known: str) -> list[Appearance]:
    chapter = ChapterInput(
        text=text,
        language=language,
        chapter_number=2,
        known_characters=tuple(KnownCharacter(at, name) for at, name in enumerate(known, 1)),
    )
    found = LocalAnalyzer().open(chapter).run("character_tracking", lambda done: None).findings
    return [finding for finding in found if isinstance(finding, Appearance)]


def groups(text: str, language: Language, *known: str) -> set[frozenset[str]]:
    return {frozenset((one.name, *one.aliases)) for one in people(text, language, *known)}


ENGLISH = [
    (
        "man and wife",
        "Mr. Hask opened the door. “Come in,” said Mr. Hask. Mrs. Hask nodded. “Yes, come in,” "
        "said Mrs. Hask. Hask sat down.",
        [{"Mr. Hask", "Hask"}, {"Mrs. Hask"}],
    ),
    (
        "brother and sister",
        "“Good day,” said Mr. Tillory. Miss Tillory smiled at Mr. Tillory. “Good day,” said Miss "
        "Tillory, and Tillory bowed.",
        [{"Mr. Tillory", "Tillory"}, {"Miss Tillory"}],
    ),
    (
        "a wife by her husband's name",
        "Mrs. Joe Ferrin stood there. “Joe,” said Mrs. Joe Ferrin, “shut it.” Joe Ferrin rose. "
        "“I will,” said Joe, and Joe smiled.",
        [{"Mrs. Joe Ferrin"}, {"Joe Ferrin", "Joe"}],
    ),
    (
        "a given name that is another's surname",
        "Colonel Dunmore bowed. “Welcome,” said Colonel Dunmore to Dunmore Ashe. “Thank you,” said "
        "Dunmore Ashe.",
        [{"Colonel Dunmore"}, {"Dunmore Ashe"}],
    ),
    (
        "a lady and a daughter of the house",
        "Lady Orrin rose. “Sit,” said Lady Orrin. Maria Orrin sat. “I sit,” said Maria.",
        [{"Lady Orrin"}, {"Maria Orrin", "Maria"}],
    ),
    (
        "a pet name",
        "Elizabeth Marrow laughed. “Lizzy!” cried Tom. “What is it?” asked Lizzy, for Elizabeth "
        "was called Lizzy at home.",
        [{"Elizabeth Marrow", "Elizabeth", "Lizzy"}],
    ),
    (
        "what opens a sentence is no given name",
        "Biddle came in. “Well?” said Biddle. Evidently Biddle knew. He nodded to Biddle, and "
        "Biddle sat down.",
        [{"Biddle"}],
    ),
    (
        "a name that is only called",
        "“Hastings,” he said, “you look dreadful.” I shut the door. “Not one, Hastings.” He "
        "turned. “Hastings, come here.”",
        [{"Hastings"}],
    ),
    (
        "somebody called like a city",
        "Florence put down her bag. “It was late,” said Florence. “Is he here?” Florence laughed.",
        [{"Florence"}],
    ),
    (
        "also where nothing but the deed tells",
        "“Paris won’t come,” said Ruth. She had quarrelled with Paris. “Paris quarrels with "
        "everybody.” Paris had cried, and Ruth had seen that Paris cried.",
        [{"Paris"}, {"Ruth"}],
    ),
    (
        "father and son, for each of whom the narrator has a name",
        "Lord Tavish woke. Lord Tavish rang, and Rhoric came. Rhoric sat down. “You rang?” said "
        "Rhoric. Lord Tavish sighed. “Well,” said Rhoric Tavish.",
        [{"Lord Tavish"}, {"Rhoric Tavish", "Rhoric"}],
    ),
    (
        "who speaks of somebody is somebody else",
        "“I saw Captain Ferrow ride out,” said Alaric Ferrow. “He will come back,” "
        "said Ruth. Alaric Ferrow smiled.",
        [{"Captain Ferrow"}, {"Alaric Ferrow"}, {"Ruth"}],
    ),
    (
        "whoever is called answers",
        "“Will you dance, Miss Ottery?” asked Mr. Blaine.\n\n“I never dance,” said Helen.\n\n"
        "“Miss Ottery, I beg you,” said Mr. Blaine.\n\n“Never,” said Helen.",
        [{"Miss Ottery", "Helen"}, {"Mr. Blaine"}],
    ),
    (
        "whoever is spoken to answers",
        "“Is he well?” said Ruth to Miss Corrie.\n\n“Quite well,” answered Hilda Corrie.\n\n"
        "“I am glad,” said Ruth. Miss Corrie nodded.",
        [{"Miss Corrie", "Hilda Corrie"}, {"Ruth"}],
    ),
    (
        "a married name that the text gives",
        "Mrs. Ware, who had been Dorothy Quill, came in. “Sit,” said Mrs. Ware. Dorothy Quill had "
        "never said so much.",
        [{"Mrs. Ware", "Dorothy Quill"}],
    ),
    (
        "a king is none of his subjects",
        "“God save King George,” said George Tully. George Tully drank, and Ruth drank to King "
        "George too.",
        [{"King George"}, {"George Tully"}],
    ),
    (
        "a pet name that shows the name",
        "Bramley Foss came in. “Bram Foss!” cried Ruth. “Yes,” said Bramley. “Sit down, Bram,” "
        "said Ruth.",
        [{"Bramley Foss", "Bramley", "Bram Foss", "Bram"}, {"Ruth"}],
    ),
    (
        "a pet name of somebody else",
        "“Where is Polly?” said Mary. Polly came in. “Here,” said Polly, and Mary smiled.",
        [{"Mary"}, {"Polly"}],
    ),
    (
        "a wife by her own name",
        "Mrs. Laura Tench came in. “Good day,” said Mrs. Tench. Laura Tench was thirty. “Yes,” "
        "said Mrs. Tench.",
        [{"Mrs. Laura Tench", "Mrs. Tench", "Laura Tench"}],
    ),
    (
        "a doctor and his brother",
        "Mr. Sayle came home. “Good day,” said Mr. Sayle. Dr. Sayle was there. “Good day,” said "
        "Dr. Sayle.",
        [{"Mr. Sayle"}, {"Dr. Sayle"}],
    ),
    (
        "what merely stands before or behind a name once",
        "Bettina rose. “My wife?” said Joel. “Yes,” said Bettina. Loyal Bettina! She had a wife’s "
        "patience, and a loyal heart. “Come, Joel,” said Bettina. And Joel Wife and all went.",
        [{"Bettina"}, {"Joel"}],
    ),
    (
        "daughters in the plural",
        "“Good day, Miss Garth,” said Ruth. Miss Garth nodded. The Miss Garths were kind, and the "
        "Misses Garth were rich. “Good day,” said Miss Garth.",
        [{"Miss Garth"}, {"Ruth"}],
    ),
    (
        "an animal that speaks",
        "“Come in,” said the Otter. The heron and the otter are old friends. “I will,” said the "
        "Heron, and the Otter shut the door. “Sit, Ottery,” said the Heron. “Yes,” said the Otter.",
        [{"Otter", "Ottery"}, {"Heron"}],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"), [case[1:] for case in ENGLISH], ids=[case[0] for case in ENGLISH]
)
def test_english(text: str, expected: list[set[str]]) -> None:
    found = groups(text, "en")
    assert all(frozenset(group) in found for group in expected), found
    named = set().union(*expected)
    assert not [group for group in found if group & named and set(group) not in expected]


def places(text: str, *known: str) -> set[str]:
    chapter = ChapterInput(
        text=text,
        language="en",
        chapter_number=2,
        known_characters=tuple(KnownCharacter(at, name) for at, name in enumerate(known, 1)),
    )
    found = LocalAnalyzer().open(chapter).run("world_expansion", lambda done: None).findings
    return {finding.name for finding in found if finding.type == "location"}


@pytest.mark.parametrize(
    ("text", "known"),
    [
        # At it, in it, from it, and it never speaks.
        ("“We dine at Haverley,” said Ruth. Haverley was let. She came from Haverley by coach, and "
         "Haverley had changed.", ()),
        ("Within a mile of Haverley lived a widow. “She goes to Haverley on foot,” said Ruth.", ()),
        # Called after the house that the chapter names in full.
        ("They heard that Haverley Park was let. “So Haverley is taken,” said Ruth.", ()),
        # Even if an earlier chapter took it for somebody.
        ("“Are you at Haverley?” asked Ruth. At Haverley it rained. She stayed in Haverley.",
         ("Haverley",)),
    ],
    ids=["prepositions", "distance", "house", "known"],
)  # fmt: skip
def test_where_people_are_is_a_place(text: str, known: tuple[str, ...]) -> None:
    assert "Haverley" in {name.removesuffix(" Park") for name in places(text, *known)}
    assert not any("Haverley" in group for group in groups(text, "en", *known))


def test_somebody_s_own_house_does_not_make_a_place_of_them() -> None:
    text = (
        "Haverley looked at Ruth. “Come to Haverley Hall,” said Haverley. She had a letter from "
        "Haverley. “No,” said Ruth to Haverley, and Haverley left."
    )
    assert frozenset(("Haverley",)) in groups(text, "en")


def test_to_whose_names_only_the_narrator_answers_is_one() -> None:
    text = "\n\n".join(
        f"“Is it you, {name}?” said Ruth.\n\n“It is,” I said. “Come in, Ruth.”"
        for name in ("Samson", "Doveling") * 4
    )
    assert groups(text, "en") == {frozenset(("Samson", "Doveling")), frozenset(("Ruth",))}


def test_of_several_daughters_the_surname_alone_is_none_in_particular() -> None:
    text = (
        "Jane Pellow and Ruth Pellow came down. “Sit,” said Mr. Pellow. “Miss Pellow is late,” "
        "said Ruth. “Is she?” said Jane Pellow, and Miss Pellow came in."
    )
    for group in groups(text, "en"):
        assert "Miss Pellow" not in group or group == {"Miss Pellow"}


def test_who_is_known_in_short_is_named_in_full() -> None:
    text = "Sir William Orme rode up. “Open,” said Sir William Orme, and Sir William waited."
    assert groups(text, "en", "Sir William") == {frozenset(("Sir William", "Sir William Orme"))}


def test_a_family_of_one_surname_by_titles() -> None:
    text = """赵掌柜把算盘推开，叹了口气。
“赵掌柜，货又没到？”赵婶端着汤进来问道。
“没到。”赵掌柜说道，“赵太太催过了。”
赵公子掀帘走进来，笑道：“赵婶又在背后说我。”
赵婶把碗放下，说：“赵公子，坐。”
“赵太太怎么说？”赵掌柜问赵公子。赵公子摇摇头。
"""
    found = groups(text, "zh")
    assert {frozenset((name,)) for name in ("赵掌柜", "赵婶", "赵公子")} <= found


@pytest.mark.parametrize(
    ("text", "one"),
    [
        # People say the title of somebody who is at hand; the narrator says the name.
        (
            "沈砚秋推开门，雨声涌了进来。\n“沈姑娘，这边请。”小二迎上来。\n"
            "沈砚秋点点头。“多谢。”沈砚秋说道。\n",
            True,
        ),
        # The text says both side by side.
        ("掌柜孟大川站了起来。“坐。”孟大川说道。孟掌柜笑了。孟大川也笑了。\n", True),
        # The narrator has a name for each.
        (
            "贺云舟站在窗边。贺公子放下茶杯，看着他。“久等了。”贺云舟说道。\n"
            "“无妨。”贺公子笑道。贺云舟坐下。\n",
            False,
        ),
    ],
    ids=["called", "apposed", "apart"],
)
def test_a_surname_with_a_title(text: str, one: bool) -> None:
    found = people(text, "zh")
    full = next(p for p in found if len(p.name) == 3 and p.name[1:] not in ("姑娘", "掌柜", "公子"))
    assert any(len(name) == 3 for name in full.aliases) is one
    doubts = [(p.name, *p.doubts) for p in found if p.doubts]
    assert doubts == ([] if one else [("贺公子", "贺云舟")])


def test_who_is_told_of_by_somebody_s_wife() -> None:
    text = "柯文斌的妻子跪着。大家叫她小梅。小梅抬起头。“走吧。”柯文斌说道。柯文斌站了起来。\n"
    assert frozenset(("柯文斌",)) in groups(text, "zh")


def test_who_comes_in_is_called_so_and_not_whoever_tells_of_it() -> None:
    text = (
        "贺云舟喘着气说：“带了三万人。”贺云舟说还有一个穿长衫的先生，大家叫他张先生。\n"
        "“张先生是谁？”贺云舟问道。\n"
    )
    assert frozenset(("贺云舟",)) in groups(text, "zh")


def test_a_pet_name_of_a_given_name_of_one_character() -> None:
    text = "顾野推开门。“小野，吃饭了。”母亲说。顾野坐下。“小野！”顾野说道：“来了。”\n"
    assert groups(text, "zh") == {frozenset(("顾野", "小野"))}


ONE = {
    "a title behind the name": (
        "莱纳德推开门。“请坐。”莱纳德探长说道。艾琳坐下。“谢谢。”艾琳说道。莱纳德点了点头。\n",
        {"莱纳德", "莱纳德探长"},
    ),
    "by-name and name": (
        "大伙都怕铁算盘。“铁算盘来了！”伙计喊道。铁算盘叫罗守成，是这条街的账房。\n"
        "“都站好。”罗守成说道。罗守成翻开账本。\n",
        {"铁算盘", "罗守成"},
    ),
    "the real name": (
        "容妃放下茶盏，笑了笑。她本名沈清婉，入宫已经六年。\n“走吧。”沈清婉说道。\n",
        {"容妃", "沈清婉"},
    ),
    "an epithet": (
        "江湖人称“断水刀”的燕孤鸿坐在角落里。“断水刀？”少年惊道。燕孤鸿喝了一口酒，说：“坐。”\n",
        {"断水刀", "燕孤鸿"},
    ),
    "a part of a foreign name": (
        "“我叫索菲娅，索菲娅·雷恩。”她说。\n“请进，索菲娅。”凯尔说道。索菲娅走进来。\n",
        {"索菲娅", "索菲娅·雷恩"},
    ),
    "a title by which others call": (
        "骆青蹲在桶边，没抬头。\n“骆队，这伤我见过。”小彭说道。\n骆青站起来：“说。”\n",
        {"骆队", "骆青"},
    ),
    "a name by which others call": (
        "宋医生正在给孩子换药。宋医生说：“别动。”\n“宋清，她还能走吗？”程野蹲下去问道。\n"
        "宋医生摇摇头，程野没有说话。\n",
        {"宋医生", "宋清"},
    ),
    "name and title with a comma": (
        "门外来了大队的杨会计，杨有福，胳膊底下夹着账本。\n“坐。”杨会计说道。杨有福坐下了。\n",
        {"杨会计", "杨有福"},
    ),
    "what somebody is": (
        "沈砚秋是青石书院的先生。沈砚秋放下书。“下课。”沈先生说道。沈先生走了出去。\n",
        {"沈砚秋", "沈先生"},
    ),
}


@pytest.mark.parametrize(("text", "forms"), ONE.values(), ids=ONE.keys())
def test_one_person_by_several_names(text: str, forms: set[str]) -> None:
    assert any(forms <= found for found in groups(text, "zh"))


TWO = {
    "who calls is not who is called": (
        "王大山坐了下来。\n“王掌柜，来壶酒。”王大山说道。\n王大山把刀放在桌上。\n",
        ("王大山", "王掌柜"),
    ),
    "two titles of one surname": (
        "王大山推开门。\n“王掌柜，算账。”李四喊道。\n“王公子，请坐。”小二喊道。\n王大山笑了。\n",
        ("王掌柜", "王公子"),
    ),
    "somebody's wife": (
        "沈墨出门去了。沈墨夫人坐在灯下。“他走了。”沈墨夫人说道。沈墨没有回头。\n",
        ("沈墨", "沈墨夫人"),
    ),
    "somebody new": (
        "阿诺往下看，认出了那个光头：铁锚帮的二当家，人称老鲨。\n"
        "老鲨有女儿？阿诺差点笑出声来。“走。”老鲨说道。\n",
        ("阿诺", "老鲨"),
    ),
    "two of one family": (
        "沈清看着沈清婉。“姐姐。”沈清婉说道。沈清点点头：“走。”沈清婉跟了上去。\n",
        ("沈清", "沈清婉"),
    ),
}


@pytest.mark.parametrize(("text", "forms"), TWO.values(), ids=TWO.keys())
def test_people_who_are_not_one(text: str, forms: tuple[str, str]) -> None:
    found = groups(text, "zh")
    assert all(any(form in names for names in found) for form in forms)
    assert not any(set(forms) <= names for names in found)
