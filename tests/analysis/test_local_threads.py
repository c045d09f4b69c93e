"""What the offline analyzer finds in a sentence: riddles, answers, laws."""

from __future__ import annotations

import pytest

from analysis.analyzers.base import Language, OpenThread
from arboris.bible.types.findings import Foreshadowing, Payoff, WorldFact

from .test_local_analyzer import assert_grounded, chapter, findings, of

THRESHOLD = 0.5  # below it the pipeline drops a finding
SURE = 0.65  # below it the fold asks the writer


def seeds(text: str, language: Language = "zh") -> list[Foreshadowing]:
    found = findings(chapter(text, language), "foreshadowing")
    assert_grounded(text, found)
    return [s for s in of(Foreshadowing, found) if s.confidence >= THRESHOLD]


@pytest.mark.parametrize(
    ("text", "verse"),
    [
        (
            "井边的孩子又唱起那首童谣：\n\n“石马渡江，木雁还乡，三更灯火照空床。”",
            "石马渡江，木雁还乡，三更灯火照空床。",
        ),
        ("“石马渡江，木雁还乡。”\n这句谶语他听了半辈子。", "石马渡江，木雁还乡。"),
    ],
)
def test_a_quoted_verse_is_the_prophecy(text: str, verse: str) -> None:
    (seed,) = seeds(text)
    assert (seed.kind, seed.evidence.quote) == ("prophecy", verse)
    assert "石马渡江" in seed.keywords


def test_an_english_verse() -> None:
    text = 'The old rhyme ran: "When the stone horse swims the river, the wooden goose flies home."'
    (seed,) = seeds(text, "en")
    assert seed.kind == "prophecy"
    assert seed.evidence.quote.startswith("When the stone horse")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("木匣里到底装着什么，镇上没有人知道。", "木匣"),
        ("有人换了铜锁。是谁换的，什么时候换的？", "铜锁"),
        ("“祠堂里的铁箱是谁的？”\n老人没有回答。", "铁箱"),
        ("再过七天，就是祭河的日子，渡船都拴上了岸。", "渡船"),
    ],
)
def test_mysteries_and_setups(text: str, word: str) -> None:
    assert any(word in keyword for seed in seeds(text) for keyword in seed.keywords)


@pytest.mark.parametrize(
    "text",
    [
        "小徒弟低下头：“晚辈失言。”",
        "她翻到空白的一页，写了一行字，合上账本。",
        "话没说完，长刀已经劈到面前。",
        "那口井像谁也没有见过的深潭。",
        "“你去哪里？”\n“去买盐。”",
    ],
)
def test_no_seeds(text: str) -> None:
    assert not seeds(text)


@pytest.mark.parametrize(
    ("text", "language", "word"),
    [
        ("母亲临终前把一只木匣塞给他，叮嘱他千万别打开。", "zh", "木匣"),
        ("石碑上刻着三个古怪的符号，没有一个人认得。", "zh", "石碑"),
        ("“谁动过账本？”掌柜问。\n伙计干咳一声，把话岔开了。", "zh", "账本"),
        ("他提起那座灯塔，老船工脸色一变，吞吞吐吐地不肯多说。", "zh", "灯塔"),
        ("她对着祠堂起誓：害死父亲的人，她必叫他血债血偿。", "zh", "祠堂"),
        ("三年前那条渡船出了海，从此杳无音信。", "zh", "渡船"),
        ('"Do not open the cellar," the old man whispered. "Not until the thaw."', "en", "cellar"),
        ("Three letters were scratched into the lid of the clock.", "en", "lid"),
        ('"Who locked the chapel?"\n\nThe sexton looked away.', "en", "chapel"),
        ("She would not tell him what lay under the mill.", "en", "mill"),
        ('"I swear by this lantern that I will find him," she said.', "en", "lantern"),
        (
            "The ferryman went out that winter and never came home; the oars were missing.",
            "en",
            "oar",
        ),
    ],
)
def test_what_is_left_open_is_a_seed(text: str, language: Language, word: str) -> None:
    assert any(word in keyword for seed in seeds(text, language) for keyword in seed.keywords)


def test_a_riddle_takes_things_from_before_it() -> None:
    (seed,) = seeds("她推开铁箱，里面是空的。到底是谁拿走的？")
    assert any("铁箱" in word for word in seed.keywords)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("原来铁箱里装的就是那本账册。", "zh"),
        ("童谣里的石马，应验了。", "zh"),
        ("她这才明白，铁箱为什么从不上锁。", "zh"),
        ("真相是，铁箱早就空了。", "zh"),
        ("That is why the iron box was never locked.", "en"),
        ("It turned out that the iron box had been empty.", "en"),
        ("At last he understood the iron box.", "en"),
    ],
)
def test_clear_answers_pass_the_threshold(text: str, language: Language) -> None:
    (answer,) = of(Payoff, findings(chapter(text, language), "foreshadowing"))
    assert answer.outcome == "paid_off"
    assert answer.confidence >= THRESHOLD


@pytest.mark.parametrize(
    ("text", "language"),
    [("铁箱果然很沉。", "zh"), ("她终于睡着了，铁箱还在。", "zh"), ("At last the box fell.", "en")],
)
def test_vague_ones_do_not(text: str, language: Language) -> None:
    found = of(Payoff, findings(chapter(text, language), "foreshadowing"))
    assert all(answer.confidence < THRESHOLD for answer in found)


def test_one_word_is_not_sure_of_its_thread() -> None:
    threads = (
        OpenThread(1, "铁箱是谁的", "铁箱是谁的？", ("铁箱", "祠堂")),
        OpenThread(1, "钥匙丢了", "钥匙丢了。", ("钥匙", "河滩")),
    )
    for text, is_sure in (("原来铁箱就是空的。", False), ("原来祠堂里的铁箱就是空的。", True)):
        found = findings(chapter(text, open_threads=threads), "foreshadowing")
        (payoff,) = of(Payoff, found)
        assert payoff.seed_quote == "铁箱是谁的？"
        assert (payoff.confidence >= SURE) == is_sure


@pytest.mark.parametrize(
    ("text", "language", "name"),
    [
        ("凡入此门者，不得回头。", "zh", "凡入此门者，不得回头"),
        ("可是外乡的人，必须在日落前出城。", "zh", "外乡的人，必须在日落前出城"),
        ("老人说：“这炉子一日只能开三次。”", "zh", "这炉子一日只能开三次"),
        ("No boat may leave the bay after dark.", "en", "No boat may leave the bay after dark"),
    ],
)
def test_a_rule_is_called_by_its_words(text: str, language: Language, name: str) -> None:
    world = of(WorldFact, findings(chapter(text, language), "world_expansion"))
    assert [w.name for w in world if w.type == "rule"] == [name]


@pytest.mark.parametrize("text", ["这条规矩，你进门那天就听过。", "你不许再提这件事。"])
def test_no_rules(text: str) -> None:
    world = of(WorldFact, findings(chapter(text), "world_expansion"))
    assert "rule" not in {w.type for w in world}
