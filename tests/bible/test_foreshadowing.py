"""Foreshadowing across many chapters, and what contradicts what an earlier chapter said."""

from __future__ import annotations

from typing import Any

import pytest

from arboris.bible.decisions.kinds import rules_from
from arboris.bible.fold.fold import Bible, fold
from arboris.bible.types.findings import Payoff, StateChange, WorldFact
from arboris.bible.types.placed_finding import PlacedFinding
from tests.bible.test_fold import at, cast, ev, events, payoff, person, seed


def notices(bible: Bible, kind: str = "") -> list[Any]:
    found = [
        notice
        for chapter_entries in bible.chapters.values()
        for notice in chapter_entries.notices.values()
    ]
    return [notice for notice in found if kind in ("", notice.kind)]


# --- pay-offs ---------------------------------------------------------------------------------
# Two seeds share the word, so that it weighs half: enough for a neighbour, not for a stranger.
SHARED = [at(1, seed("铜铃不响", "铜铃", "顾")), at(1, seed("铜铃蒙尘", "铜铃", "祁")),
          at(1, seed("铜铃无舌", "铜铃", "沈"))]  # fmt: skip


@pytest.mark.parametrize(("chapter", "status"), [(5, "paid_off"), (40, "open")])
def test_a_distant_pay_off_needs_firmer_ground(chapter: int, status: str) -> None:
    bible = fold([*SHARED, at(chapter, payoff("铜铃响了", "铜铃"))])
    (event,) = events(bible)
    thread = next(thread for thread in bible.threads if thread.natural_key == event.thread)
    assert (thread.status, event.certain) == (status, status == "paid_off")
    assert event.distance == chapter - 1
    assert len(notices(bible, "suspected_payoff")) == (status == "open")


def test_a_distant_pay_off_that_names_its_seed_is_certain() -> None:
    bible = fold([*SHARED, at(80, payoff("铜铃响了", of_seed="铜铃蒙尘"))])
    assert {t.fact.quote: t.status for t in bible.threads}["铜铃蒙尘"] == "paid_off"
    assert not notices(bible)


def test_a_distant_pay_off_by_a_word_of_its_own_is_certain() -> None:
    bible = fold([at(1, seed("黑皮手套", "手套")), at(60, payoff("手套的主人", "手套"))])
    assert bible.threads[0].status == "paid_off"


def test_a_false_pay_off_is_told_and_changes_nothing() -> None:
    bible = fold([at(1, seed("铜铃不响", "铜铃")), at(2, payoff("灯灭了", "灯"))])
    assert bible.threads[0].status == "open"
    (told,) = notices(bible)
    assert (told.kind, told.data["later"]["quote"]) == ("unlinked_payoff", "灯灭了")


def test_the_writer_links_and_confirms() -> None:
    given = [*SHARED, at(40, payoff("铜铃响了", "铜铃")), at(41, payoff("灯灭了", "灯"))]
    before = fold(given)
    suspected, unlinked = (
        notices(before, kind)[0].ref for kind in ("suspected_payoff", "unlinked_payoff")
    )
    target = next(t for t in before.threads if t.fact.quote == "铜铃无舌")
    rules = rules_from(
        [
            {"action": "accept", "ref": suspected},
            {"action": "accept", "ref": unlinked, "thread": target.natural_key},
        ]
    )
    after = fold(given, rules)
    assert all(event.certain for event in events(after))
    assert {t.fact.quote: t.status for t in after.threads}["铜铃无舌"] == "paid_off"
    assert not notices(after)


def test_an_abandoned_thread_takes_no_more() -> None:
    given = [at(1, seed("铜铃不响", "铜铃")), at(3, payoff("铜铃响了", "铜铃"))]
    (thread,) = fold(given).threads
    abandoned = {"action": "edit", "scope": "thread", "thread": thread.natural_key,
                 "fields": {"status": "abandoned"}}  # fmt: skip
    assert not events(fold(given, rules_from([abandoned])))


# --- contradictions ---------------------------------------------------------------------------
def change(who: str, kind: Any, what: str, quote: str = "") -> StateChange:
    return StateChange(
        character=who, kind=kind, description=what, evidence=ev(quote or what), confidence=0.9
    )


def dead(*later: PlacedFinding) -> list[Any]:
    given = [at(1, person("沈砚秋")), at(2, change("沈砚秋", "condition", "战死于江边")), *later]
    return notices(fold(given), "dead_acts")


def seen(chapter: int, quote: str) -> PlacedFinding:
    one = person("沈砚秋")
    return at(chapter, one.model_copy(update={"evidence": ev(quote)}))


def test_the_dead_who_speak_are_told_with_both_quotes() -> None:
    (told,) = dead(seen(5, "沈砚秋低声说：“走。”"))
    assert told.subject == "沈砚秋"
    assert told.data["earlier"] == {"chapter_id": 2, "quote": "战死于江边"}
    assert told.data["later"] == {"chapter_id": 5, "quote": "沈砚秋低声说：“走。”"}


@pytest.mark.parametrize(
    "quote",
    [
        "他想起沈砚秋说过的话",
        "沈砚秋的墓前落了雪",
        "沈砚秋之死传遍江南",
        "梦里沈砚秋笑着走来",
        "沈砚秋的坐骑还在",
        "沈砚秋的看法没有人再提",
        "和沈砚秋一道走的人回来了",
    ],
)
def test_the_remembered_do_not_act(quote: str) -> None:
    assert not dead(seen(5, quote))


def test_the_dead_may_act_in_the_chapter_of_their_death_and_before() -> None:
    assert not dead(seen(2, "沈砚秋说：“走。”"), seen(1, "沈砚秋说：“来。”"))


def test_who_was_only_thought_dead_is_not() -> None:
    given = [at(1, person("沈砚秋")), at(2, change("沈砚秋", "condition", "众人以为他已战死")),
             seen(5, "沈砚秋说：“走。”")]  # fmt: skip
    assert not notices(fold(given))


def test_who_came_back_acts_again() -> None:
    back = at(4, change("沈砚秋", "condition", "其实未死，伤愈归来"))
    assert not dead(back, seen(5, "沈砚秋说：“走。”"))


def test_a_body_that_is_carried_home_does_not_act() -> None:
    assert not dead(at(5, change("沈砚秋", "location", "尸体被抬回京城")))


def test_in_english_too() -> None:
    given = [at(1, person("Ada Finch")), at(2, change("Ada", "condition", "killed by the flood"))]
    acts = person("Ada").model_copy(update={"evidence": ev("Ada said nothing.")})
    assert len(notices(fold([*given, at(3, acts)]), "dead_acts")) == 1
    late = person("Ada").model_copy(update={"evidence": ev("He remembered what Ada said.")})
    assert not notices(fold([*given, at(3, late)]))


SWORD = WorldFact(
    type="item",
    name="断水剑",
    aliases=[],
    description="",
    evidence=ev("断水剑"),
    confidence=0.9,
)
TWO = [*cast(("沈砚秋", 5), ("顾长风", 5)), at(1, SWORD)]


@pytest.mark.parametrize(
    ("later", "told"),
    [
        (change("顾长风", "possession", "得到断水剑"), 1),
        (change("顾长风", "possession", "从沈砚秋手中夺得断水剑"), 0),
        (change("顾长风", "possession", "得到断水剑", "沈砚秋把断水剑递给他"), 0),
        (change("顾长风", "possession", "得到一匹马"), 0),
        (change("沈砚秋", "possession", "得到断水剑"), 0),
    ],
)
def test_an_item_in_two_hands(later: StateChange, told: int) -> None:
    bible = fold([*TWO, at(2, change("沈砚秋", "possession", "获得断水剑")), at(3, later)])
    assert len(notices(bible, "item_in_two_hands")) == told


def test_an_item_that_was_lost_may_be_found() -> None:
    given = [*TWO, at(2, change("沈砚秋", "possession", "获得断水剑")),
             at(3, change("沈砚秋", "possession", "失去断水剑")),
             at(4, change("顾长风", "possession", "捡到断水剑"))]  # fmt: skip
    bible = fold(given)
    assert not notices(bible)
    assert bible.world_entries[0].holder == "顾长风"


def test_a_dismissed_warning_stays_away() -> None:
    given = [at(1, person("沈砚秋")), at(2, change("沈砚秋", "condition", "战死")),
             seen(5, "沈砚秋说：“走。”")]  # fmt: skip
    (told,) = notices(fold(given))
    assert not notices(fold(given, rules_from([{"action": "reject", "refs": [told.ref]}])))


# --- doubtful names ---------------------------------------------------------------------------
def test_a_name_that_fits_two_is_asked_about() -> None:
    given = [at(1, person("Ada Finch")), at(1, person("Ada Stone", start=9)), at(2, person("Ada"))]
    (asked,) = notices(fold(given), "ambiguous_name")
    assert (asked.data["name"], asked.data["others"]) == ("Ada", ["Ada Finch", "Ada Stone"])


def test_an_alias_that_is_somebody_elses_name_is_asked_about_and_merges_nobody() -> None:
    given = [*cast(("沈砚秋", 5), ("顾长风", 5)), at(2, person("沈砚秋", "顾长风"))]
    bible = fold(given)
    assert len(bible.people) == 2
    (asked,) = notices(bible, "same_person")
    assert {asked.data["name"], *asked.data["others"]} == {"沈砚秋", "顾长风"}


def test_the_writers_merge_answers_it() -> None:
    given = [*cast(("沈砚秋", 5), ("顾长风", 5)), at(2, person("沈砚秋", "顾长风"))]
    merge = {"action": "merge", "scope": "person", "names": ["顾长风"], "into": "沈砚秋"}
    bible = fold(given, rules_from([merge]))
    (one,) = bible.people
    assert (one.name, list(one.aliases), one.mentions) == ("沈砚秋", ["顾长风"], 11)
    assert not notices(bible)


def by_patterns(quote: str, *words: str) -> Payoff:
    return payoff(quote, *words).model_copy(update={"basic": True})


def test_a_pay_off_of_patterns_shares_two_words_or_is_asked_about() -> None:
    planted = at(1, seed("船底的夹层", "船底", "夹层"))
    bible = fold([planted, at(2, by_patterns("原来船底是空的", "船底"))])
    assert bible.threads[0].status == "open"
    (asked,) = notices(bible, "suspected_payoff")
    assert asked.data["earlier"]["quote"] == "船底的夹层"
    both = fold([planted, at(2, by_patterns("原来船底有夹层", "船底", "夹层"))])
    assert both.threads[0].status == "paid_off"
    assert not notices(both)


def test_pay_offs_of_patterns_alone_are_not_asked_about() -> None:
    basic: Payoff = payoff("灯灭了", "灯").model_copy(update={"basic": True})
    assert not notices(fold([at(1, seed("铜铃不响", "铜铃")), at(2, basic)]))
