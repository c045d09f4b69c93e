"""What the offline analyzer finds in a sentence: kin, gains, names, growth."""

from __future__ import annotations

import pytest

from analysis.analyzers.base import KnownCharacter, KnownEntity, Language
from arboris.bible.types.findings import (
    NewCharacter,
    Relation,
    StateChange,
    WorldFact,
)

from .test_local_analyzer import assert_grounded, chapter, findings, of


def people(*names: str) -> tuple[KnownCharacter, ...]:
    return tuple(KnownCharacter(n, name) for n, name in enumerate(names, 1))


def related(text: str, *names: str, language: Language = "zh") -> set[tuple[str, str, str]]:
    found = findings(chapter(text, language, known_characters=people(*names)))
    return {(r.source, r.relation, r.target) for r in of(Relation, found)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("沈墨，是白芷的师弟，如今在城东卖药。", ("沈墨", "师弟", "白芷")),
        ("沈墨、白芷是表兄妹。", ("沈墨", "表兄妹", "白芷")),
        ("沈墨与白芷成亲了。", ("沈墨", "夫妻", "白芷")),
        ("白芷拜沈墨为师。", ("白芷", "徒弟", "沈墨")),
        ("“沈墨是我的仇人。”白芷咬着牙说。", ("沈墨", "仇人", "白芷")),
        ("白芷低下头。“我爹叫沈墨，早就不在了。”", ("沈墨", "父亲", "白芷")),
        ("白芷说：“把犬子沈墨还给我。”", ("沈墨", "儿子", "白芷")),
        ("白芷推开窗。那封信是她哥哥沈墨留下的。", ("沈墨", "哥哥", "白芷")),
        ("白芷有个徒弟，名叫沈墨。", ("沈墨", "徒弟", "白芷")),
        ("白芷的师父是药王谷的长老沈墨。", ("沈墨", "师父", "白芷")),
        ("白芷回过头，对师弟沈墨说：“走吧。”", ("沈墨", "师弟", "白芷")),
        ("白芷推开门。她是沈墨的姐姐。", ("白芷", "姐姐", "沈墨")),
        ("门主沈墨没有说话。白芷是青云门门主的女儿。", ("白芷", "女儿", "沈墨")),
    ],
)
def test_relations(text: str, expected: tuple[str, str, str]) -> None:
    assert related(text, "沈墨", "白芷") == {expected}


@pytest.mark.parametrize(
    "text",
    [
        "沈墨是白芷的师父吗？",
        "沈墨是白芷的师父的朋友。",
        "白芷看着顾青。那封信是她哥哥沈墨留下的。",  # whose brother?
        "“沈墨是我的仇人。”",  # who says so?
    ],
)
def test_what_is_not_plain_relates_nobody(text: str) -> None:
    assert not related(text, "沈墨", "白芷", "顾青")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ruth, the daughter of Amos, came in.", ("Ruth", "daughter", "Amos")),
        ("Ruth married Amos.", ("Ruth", "spouse", "Amos")),
        ("Ruth had a cousin called Amos.", ("Amos", "cousin", "Ruth")),
        ("Ruth came in. Amos, her brother, was asleep.", ("Amos", "brother", "Ruth")),
        ("A miller called Amos kept it. Ruth was the miller's niece.", ("Ruth", "niece", "Amos")),
        ("Amos, Ruth's uncle, came in.", ("Amos", "uncle", "Ruth")),
        ("Ruth wrote to her elder brother Amos.", ("Amos", "brother", "Ruth")),
        ('Ruth shook her head. "My father, Amos, would not."', ("Amos", "father", "Ruth")),
    ],
)
def test_english_relations(text: str, expected: tuple[str, str, str]) -> None:
    assert related(text, "Ruth", "Amos", language="en") == {expected}


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("他解下腰间的玉佩，递给白芷。", "zh", ("白芷", "possession")),
        ("沈墨把账本塞进白芷怀里。", "zh", ("白芷", "possession")),
        ("白芷被人绑在柱子上。", "zh", ("白芷", "condition")),
        ("白芷从此能听见铜里的声音。", "zh", ("白芷", "ability")),
        ("白芷赶回青石镇。", "zh", ("白芷", "location")),
        ("He gave the brass key to Ruth.", "en", ("Ruth", "possession")),
    ],
)
def test_states(text: str, language: Language, expected: tuple[str, str]) -> None:
    known = people("沈墨", "白芷", "Ruth")
    places = (KnownEntity("location", "青石镇"),)
    found = findings(chapter(text, language, known_characters=known, known_entities=places))
    assert_grounded(text, found)
    assert expected in {(s.character, s.kind) for s in of(StateChange, found)}


@pytest.mark.parametrize(
    ("text", "language", "who"),
    [
        ("白芷在院子里被沈墨一剑刺中，吐出一口血来。", "zh", "白芷"),
        ("白芷站起来。她断了一条腿。", "zh", "白芷"),
        ("沈墨杀死了白芷。", "zh", "白芷"),
        ("“白芷死了。”沈墨说。", "zh", "白芷"),
        ("Ruth, who had lost her left eye, said nothing.", "en", "Ruth"),
        ("Amos killed Ruth.", "en", "Ruth"),
        ("Ruth caught a cold on Monday and was dead by Friday.", "en", "Ruth"),
    ],
)
def test_whose_condition_it_is(text: str, language: Language, who: str) -> None:
    known = people("沈墨", "白芷", "Ruth", "Amos")
    found = of(StateChange, findings(chapter(text, language, known_characters=known)))
    assert {s.character for s in found if s.kind == "condition"} == {who}


@pytest.mark.parametrize("text", ["他没把玉佩递给白芷。", "要不要把玉佩交给白芷？"])
def test_what_was_not_given(text: str) -> None:
    found = findings(chapter(text, known_characters=people("白芷")))
    assert not of(StateChange, found)


def names(text: str, language: Language = "zh") -> dict[str, list[str]]:
    return {c.name: c.aliases for c in of(NewCharacter, findings(chapter(text, language)))}


def test_a_surname_used_as_a_noun_names_nobody() -> None:
    text = (
        "石头滚下山。石阶上有石粉，石匠敲着石碑。这条石舌是石料做的，石舌里的水一直流。"
        "石舌断了，石舌又接上。柳如烟笑道：“好石料。”"
    )
    assert set(names(text)) == {"柳如烟"}


@pytest.mark.parametrize(
    "text",
    ["他小声说：“走。”", "一颗颗像白果，又像黄连。", "这一招叫作伤人，那一招叫作留人。"],
)
def test_words_that_are_nobody(text: str) -> None:
    assert not names(text)


def test_what_people_call_somebody() -> None:
    text = "柳如烟住在渡口，街坊都叫她烟儿。她的邻居很多。柳如烟笑道：“烟儿在此。”"
    assert names(text) == {"柳如烟": ["烟儿"]}


def test_english_nicknames_and_landscape_surnames() -> None:
    text = (
        "Walter Brook kept the ferry, and the whole village called him the Heron. "
        "The Heron said nothing. They let the Heron sleep. Walter Brook laughed."
    )
    found = findings(chapter(text, "en"))
    (walter,) = of(NewCharacter, found)
    assert (walter.name, walter.aliases) == ("Walter Brook", ["Heron"])
    assert not of(WorldFact, found)


@pytest.mark.parametrize(
    ("text", "language", "level"),
    [
        ("沈墨突破了瓶颈。", "zh", 2),
        ("沈墨终于突破到筑基期。", "zh", 2),
        ("沈墨晋升为金丹修士。", "zh", 2),
        ("沈墨踏入化神期。", "zh", 3),
        ("沈墨学会了听雪剑法。", "zh", 1),
        ("沈墨悟出刀法的奥义。", "zh", 1),
        ("沈墨功力大增，连破三关。", "zh", 2),
        ("沈墨功力尽失。", "zh", 0),
        ("沈墨修为恢复如初。", "zh", 0),
        ("沈墨突破了重围的防线。", "zh", 0),
        ("Ada Finch learned to swim in a week.", "en", 1),
        ("Ada Finch mastered the old tongue.", "en", 2),
        ("Ada Finch learned to fear the sea.", "en", 0),
    ],
)
def test_how_much_one_grows_by_a_new_ability(text: str, language: Language, level: int) -> None:
    known = people("沈墨", "Ada Finch")
    found = of(StateChange, findings(chapter(text, language, known_characters=known)))
    assert [(s.kind, s.growth_level) for s in found] == [("ability", level)]


@pytest.mark.parametrize(
    "text", ["沈墨突破到筑基期了吗？", "沈墨还没有突破瓶颈。", "沈墨若学会了听雪剑法，天下无敌。"]
)
def test_nobody_grows_by_what_has_not_happened(text: str) -> None:
    found = of(StateChange, findings(chapter(text, known_characters=people("沈墨"))))
    assert not any(change.growth_level for change in found)


def test_other_changes_are_no_growth() -> None:
    text = "沈墨身受重伤。沈墨得到了一本突破境界的秘籍。"
    found = of(StateChange, findings(chapter(text, known_characters=people("沈墨"))))
    assert found and not any(change.growth_level for change in found)


@pytest.mark.parametrize(
    ("text", "language", "name", "description"),
    [
        (
            "沈砚蹲在门槛上。他今年十九岁，一身旧布衫，左耳缺了一角。沈砚笑了。",
            "zh",
            "沈砚",
            "他今年十九岁，一身旧布衫，左耳缺了一角。",
        ),
        ("屋后的师妹白芷抱着刀。白芷笑了。", "zh", "白芷", "师妹"),
        (
            'Martha Grey came in. She was a thin, quick woman of forty. "Sit," said Martha Grey.',
            "en",
            "Martha Grey",
            "a thin, quick woman of forty",
        ),
    ],
)
def test_a_description_is_about_the_person(
    text: str, language: Language, name: str, description: str
) -> None:
    found = findings(chapter(text, language, known_characters=people(name)))
    assert description in {
        one.description.removeprefix("She was ").removesuffix(".") if language == "en"
        else one.description
        for one in of(NewCharacter, found)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "names", "relation"),
    [
        (
            "Martha Grey stood by the well. Her sister Alice met her there.",
            ("Martha Grey", "Alice"),
            ("Alice", "sister", "Martha Grey"),
        ),
        (
            "Martha Grey came in. She was the daughter of Lord Ashby.",
            ("Martha Grey", "Lord Ashby"),
            ("Martha Grey", "daughter", "Lord Ashby"),
        ),
        (
            '"You mean John Grey," she said. "His sister Alice married well."',
            ("John Grey", "Alice"),
            None,
        ),
        (
            '"It is John Grey. His sister Alice married well."',
            ("John Grey", "Alice"),
            ("Alice", "sister", "John Grey"),
        ),
        (
            "Martha Grey was engaged to Thomas Reed.",
            ("Martha Grey", "Thomas Reed"),
            ("Martha Grey", "betrothed", "Thomas Reed"),
        ),
    ],
)
def test_english_kin(
    text: str, names: tuple[str, ...], relation: tuple[str, str, str] | None
) -> None:
    found = findings(chapter(text, "en", known_characters=people(*names)))
    said = [(one.source, one.relation, one.target) for one in of(Relation, found)]
    assert said == ([relation] if relation else [])
