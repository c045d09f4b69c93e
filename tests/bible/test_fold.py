"""The fold: a pure function of findings, whatever order they come in and however often."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arboris.bible.fold.fold import Bible, fold
from arboris.bible.types.entries import Event, State
from arboris.bible.types.findings import (
    Appearance,
    Contradiction,
    Evidence,
    Finding,
    Foreshadowing,
    NewCharacter,
    Payoff,
    Relation,
    StateChange,
    WorldFact,
    parse,
)
from arboris.bible.types.names import is_short_form
from arboris.bible.types.placed_finding import PlacedFinding

NAMES = ["沈砚秋", "砚秋", "老沈", "顾长风", "长风", "Ada Finch", "Ada", "Finch", "林"]
QUOTES = ["灯灭了", "门开了", "铜铃响了三声", "他没有回头"]
names = st.sampled_from(NAMES)
aliases = st.lists(names, max_size=2)
words = st.lists(st.sampled_from(["铜铃", "灯", "信", "沈砚秋"]), max_size=2)
evidence = st.builds(
    lambda quote, start: Evidence(quote=quote, start=start, end=start + len(quote)),
    st.sampled_from(QUOTES),
    st.integers(0, 6),
)
confidence = st.sampled_from([0.5, 0.9])


def of(model: Any, **parts: Any) -> st.SearchStrategy[Finding]:
    return st.builds(model, evidence=evidence, confidence=confidence, basic=st.booleans(), **parts)


texts = st.sampled_from(["", "受了伤", "在听雨楼"])
findings = st.one_of(
    of(Appearance, name=names, aliases=aliases, mentions=st.integers(1, 3)),
    of(
        NewCharacter,
        name=names,
        aliases=aliases,
        description=texts,
        personality=texts,
        goals=texts,
        abilities=texts,
        role=st.sampled_from(["minor", "main"]),
    ),
    of(
        StateChange,
        character=names,
        kind=st.just("condition"),
        description=st.sampled_from(["受了伤", "死了"]),
    ),
    of(Relation, source=names, target=names, relation=st.just("师徒")),
    of(
        WorldFact,
        type=st.sampled_from(["location", "item"]),
        name=names,
        aliases=aliases,
        description=texts,
    ),
    of(Foreshadowing, kind=st.just("hint"), description=st.just("铃声"), keywords=words),
    of(
        Payoff,
        outcome=st.sampled_from(["advanced", "paid_off"]),
        description=st.just("铃声再起"),
        keywords=words,
        seed_quote=st.sampled_from(["", *QUOTES]),
    ),
    of(
        Contradiction,
        kind=st.sampled_from(["looks", "dead_acts"]),
        character=names,
        earlier=st.sampled_from(QUOTES),
    ),
)
# The chapter's id runs against its number: only the number may matter.
placed = st.builds(
    lambda number, finding: PlacedFinding(number, 100 - number, finding),
    st.integers(1, 4),
    findings,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(placed, max_size=14), st.randoms(use_true_random=False))
@pytest.mark.slow
def test_the_order_of_findings_does_not_matter(given: list[PlacedFinding], generator: Any) -> None:
    shuffled = list(given)
    generator.shuffle(shuffled)
    assert fold(shuffled) == fold(given)


@settings(max_examples=100, deadline=None)
@given(st.lists(placed, max_size=12))
def test_folding_twice_gives_the_same(given: list[PlacedFinding]) -> None:
    before = [p.finding.model_dump_json() for p in given]
    assert fold(given) == fold(given)
    assert [p.finding.model_dump_json() for p in given] == before  # nothing given was changed


@settings(max_examples=100, deadline=None)
@given(st.lists(placed, max_size=12))
@pytest.mark.slow
def test_what_json_kept_folds_to_the_same(given: list[PlacedFinding]) -> None:
    kept = [
        PlacedFinding(p.chapter_number, p.chapter_id, parse(p.finding.model_dump(mode="json")))
        for p in given
    ]
    assert fold(kept) == fold(given)


@settings(max_examples=200, deadline=None)
@given(st.lists(placed, max_size=14))
@pytest.mark.slow
def test_what_holds_for_every_bible(given: list[PlacedFinding]) -> None:
    bible = fold(given)
    known = [person.name for person in bible.people]
    assert len(known) == len(set(known))
    for person in bible.people:
        assert person.name not in person.aliases
    borne = [alias for person in bible.people for alias in person.aliases]
    assert len(borne) == len(set(borne))  # an alias is one person's
    ids = {person.natural_key for person in bible.people}
    for relationship in bible.relationships:
        assert relationship.source != relationship.target
        assert {relationship.source, relationship.target} <= ids
    threads = {thread.natural_key: thread for thread in bible.threads}
    for event in events(bible):
        thread, chapter_id = threads[event.thread], event.fact.chapter_id
        assert chapter_id is not None
        assert event.distance == 100 - chapter_id - thread.chapter_number
        assert event.distance > 0  # pay-offs come after their seed
    advanced = {event.thread for event in events(bible) if event.certain}
    assert advanced == {
        natural_key for natural_key, thread in threads.items() if thread.status != "open"
    }


def at(chapter: int, finding: Finding) -> PlacedFinding:
    return PlacedFinding(chapter, chapter, finding)


def ev(quote: str, start: int = 0) -> Evidence:
    return Evidence(quote=quote, start=start, end=start + len(quote))


def person(name: str, *others: str, start: int = 0) -> Appearance:
    return Appearance(name=name, aliases=list(others), evidence=ev(name, start), confidence=0.9)


def seed(quote: str, *about: str) -> Foreshadowing:
    return Foreshadowing(
        kind="hint", description=quote, keywords=list(about), evidence=ev(quote), confidence=0.8
    )


def payoff(quote: str, *about: str, outcome: Any = "paid_off", of_seed: str = "") -> Payoff:
    return Payoff(
        outcome=outcome,
        description=quote,
        keywords=list(about),
        seed_quote=of_seed,
        evidence=ev(quote),
        confidence=0.8,
    )


def only(bible: Bible) -> Any:
    (one,) = bible.people
    return one


def states(bible: Bible) -> list[State]:
    return [
        state
        for chapter_entries in bible.chapters.values()
        for state in chapter_entries.states.values()
    ]


def events(bible: Bible) -> list[Event]:
    return [
        event
        for chapter_entries in bible.chapters.values()
        for event in chapter_entries.events.values()
    ]


def test_aliases_resolve_to_one_person() -> None:
    bible = fold(
        [
            at(1, person("沈砚秋", "老沈")),
            at(2, person("老沈")),
            at(3, person("砚秋")),
            at(3, StateChange(character="老沈", kind="condition", description="受了伤",
                              evidence=ev("受了伤"), confidence=0.7)),
        ]
    )  # fmt: skip
    one = only(bible)
    assert (one.name, one.mentions, one.last_chapter_id) == ("沈砚秋", 3, 3)
    assert "老沈" in one.aliases
    assert [state.person for state in states(bible)] == [one.natural_key]


def test_a_full_name_that_comes_later_takes_over() -> None:
    one = only(fold([at(1, person("砚秋")), at(2, person("沈砚秋"))]))
    assert (one.name, list(one.aliases)) == ("沈砚秋", ["砚秋"])
    assert one.fact.chapter_id == 1  # first written where the short name was


def test_a_by_name_that_two_share_does_not_merge_them() -> None:
    bible = fold([at(1, person("沈砚秋", "先生")), at(2, person("顾长风", "先生"))])
    assert {p.name: list(p.aliases) for p in bible.people} == {"沈砚秋": ["先生"], "顾长风": []}


def test_a_by_name_that_is_all_an_earlier_chapter_knew_becomes_the_persons() -> None:
    bible = fold([at(1, person("哑渡")), at(2, person("祁闻舟", "哑渡"))])
    assert len(bible.people) == 1
    assert {bible.people[0].name, *bible.people[0].aliases} == {"祁闻舟", "哑渡"}


def test_a_name_that_fits_two_people_is_nobodys() -> None:
    bible = fold(
        [
            at(1, person("Ada Finch")),
            at(1, person("Ada Stone", start=9)),
            at(
                2,
                StateChange(
                    character="Ada",
                    kind="condition",
                    description="hurt",
                    evidence=ev("hurt"),
                    confidence=0.7,
                ),
            ),
        ]
    )
    assert sorted(p.name for p in bible.people) == ["Ada Finch", "Ada Stone"]
    assert not states(bible)


@pytest.mark.parametrize(
    ("chapters", "status"),
    [((1, 2), "paid_off"), ((2, 2), "open"), ((3, 2), "open")],
    ids=["earlier seed", "same chapter", "later seed"],
)
def test_pay_offs_link_to_earlier_seeds_alone(chapters: tuple[int, int], status: str) -> None:
    planted, paid = chapters
    bible = fold([at(planted, seed("铜铃不响", "铜铃")), at(paid, payoff("铜铃响了", "铜铃"))])
    (thread,) = bible.threads
    assert thread.status == status


def test_a_seed_goes_open_advanced_paid_off() -> None:
    given = [
        at(1, seed("铜铃不响", "铜铃")),
        at(2, payoff("铜铃颤了一下", "铜铃", outcome="advanced")),
        at(3, payoff("铜铃响了", "铜铃")),
    ]
    assert [fold(given[:n]).threads[0].status for n in (1, 2, 3)] == [
        "open",
        "advanced",
        "paid_off",
    ]
    assert [event.outcome for event in events(fold(given))] == ["advanced", "paid_off"]


def test_a_paid_off_seed_takes_no_more() -> None:
    given = [
        at(1, seed("铜铃不响", "铜铃")),
        *(at(n, payoff(f"响了{n}次", "铜铃")) for n in (2, 3)),
    ]
    assert [event.description for event in events(fold(given))] == ["响了2次"]


def test_the_named_seed_goes_before_the_words() -> None:
    given = [at(1, seed("铜铃不响", "铜铃")), at(1, seed("灯忽然灭了", "灯"))]
    given.append(at(2, payoff("铜铃响了", "铜铃", of_seed="灯忽然灭了")))
    assert [t.status for t in sorted(fold(given).threads, key=lambda t: t.fact.quote)] == [
        "paid_off",
        "open",
    ]


def test_a_characters_name_is_no_ground_for_a_link() -> None:
    given = [at(1, person("沈砚秋")), at(1, seed("沈砚秋藏起了信", "沈砚秋")),
             at(2, payoff("沈砚秋笑了", "沈砚秋"))]  # fmt: skip
    assert fold(given).threads[0].status == "open"


def test_world_entries_of_one_kind_merge_by_alias() -> None:
    def place(name: str, *others: str) -> WorldFact:
        return WorldFact(
            type="location",
            name=name,
            aliases=list(others),
            description="",
            evidence=ev(name),
            confidence=0.9,
        )

    bible = fold([at(1, place("听雨楼", "雨楼")), at(2, place("雨楼"))])
    (entry,) = bible.world_entries
    assert (entry.name, list(entry.aliases), entry.mentions) == ("听雨楼", ["雨楼"], 2)


@pytest.mark.parametrize(
    ("short", "full", "expected"),
    [("砚秋", "沈砚秋", True), ("秋", "沈砚秋", False), ("沈砚", "沈砚秋", False),
     ("Ada", "Ada Finch", True), ("Finch", "Ada Finch", True), ("Ad", "Ada Finch", False),
     ("", "沈砚秋", False), ("沈砚秋", "沈砚秋", False), ("Darcy", "Mr. Darcy", True),
     ("Mr.", "Mr. Darcy", False), ("Mr. Darcy", "Mr. Fitz Darcy", True)],
)  # fmt: skip
def test_short_forms(short: str, full: str, expected: bool) -> None:
    assert is_short_form(short, full) is expected


def cast(*mentions: tuple[str, int]) -> list[PlacedFinding]:
    """Characters of chapter 1, each with as many mentions."""
    return [
        at(
            1,
            Appearance(name=name, aliases=[], mentions=count, evidence=ev(name, n), confidence=0.9),
        )
        for n, (name, count) in enumerate(mentions)
    ]


@pytest.mark.parametrize(("name", "status"), [("沈砚秋", "open"), ("顾长风", "paid_off")])
def test_a_minor_characters_name_links_and_a_leading_ones_does_not(name: str, status: str) -> None:
    given = [*cast(("沈砚秋", 30), ("顾长风", 3)), at(1, seed("再也没有回来", name)),
             at(2, payoff("原来他还活着", name))]  # fmt: skip
    assert fold(given).threads[0].status == status


def test_a_thing_goes_before_a_name() -> None:
    given = [
        *cast(("沈砚秋", 30), ("顾长风", 3)),
        at(1, seed("长风走了", "顾长风")),
        at(1, seed("手套底下", "黑皮手套")),
        at(2, payoff("原来如此", "顾长风", "手套")),
    ]
    threads = {t.fact.quote: t.status for t in fold(given).threads}
    assert threads == {"长风走了": "open", "手套底下": "paid_off"}


def test_a_word_that_every_seed_holds_links_nothing() -> None:
    given = [at(1, seed(f"名字{n}", "名字")) for n in range(5)]
    given.append(at(2, payoff("原来是名字", "名字")))
    assert {t.status for t in fold(given).threads} == {"open"}


def test_a_prophecy_comes_true_line_by_line() -> None:
    verse = seed("石马渡江，木雁还乡", "童谣").model_copy(update={"kind": "prophecy"})
    given = [
        at(1, verse),
        at(2, payoff("石马应验了", "童谣")),
        at(3, payoff("木雁也应验了", "童谣")),
    ]
    assert [event.fact.chapter_id for event in events(fold(given))] == [2, 3]
    assert fold(given).threads[0].status == "paid_off"
    given.append(at(4, payoff("童谣还有一句", "童谣", outcome="advanced")))
    assert fold(given).threads[0].status == "advanced"  # the last one says how it stands
