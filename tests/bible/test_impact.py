"""The dry run: what comes before the chapter is folded once, and what is told is what differs."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.fold import fold
from arboris.bible.fold.impact import Impact, compare
from arboris.bible.impact import _statements, folded_both_ways
from arboris.bible.types.placed_finding import PlacedFinding
from tests.bible.test_fold import at, events, payoff, person, placed, seed
from tests.bible.test_foreshadowing import change

NOVEL = st.lists(placed, max_size=14)


def by_number(findings: list[PlacedFinding]) -> dict[int, list[PlacedFinding]]:
    chapters: defaultdict[int, list[PlacedFinding]] = defaultdict(list)
    for one in findings:
        chapters[one.chapter_number].append(one)
    return dict(chapters)


@settings(max_examples=200, deadline=None)
@given(NOVEL, st.integers(1, 4), st.sets(st.integers(0, 13)))
def test_the_dry_run_is_the_fold(novel: list[PlacedFinding], number: int, gone: set[int]) -> None:
    left = [one for n, one in enumerate(novel) if one.chapter_number != number or n not in gone]
    before, after = folded_both_ways(by_number(novel), by_number(left), number, Rules())
    assert before == fold(novel)
    assert after == fold(left)
    assert compare(before, before, Rules()) == Impact()

    found = compare(before, after, Rules())
    seeds = {thread.natural_key for thread in before.threads}
    seeds -= {thread.natural_key for thread in after.threads}
    lost = [one for one in found.vanishing if one.type == "foreshadowing"]
    assert len(seeds) == len(lost) + len(found.orphaned_threads)
    assert {one.thread.natural_key for one in found.orphaned_threads} <= seeds
    still = {(event.fact.chapter_id, event.fact.quote) for event in events(after) if event.certain}
    for thread in found.orphaned_threads:
        assert thread.payoffs
        assert all((e.fact.chapter_id, e.fact.quote) not in still for e in thread.payoffs)


@settings(max_examples=200, deadline=None)
@given(NOVEL, st.integers(1, 4), st.integers(1, 500))
def test_where_in_its_chapter_a_statement_stands_changes_nothing(
    novel: list[PlacedFinding], number: int, by: int
) -> None:
    """So a text that was only added to needs no fold: the dry run relies on it."""
    moved = [moved_on(one, by) if one.chapter_number == number else one for one in novel]
    assert fold(moved) == fold(novel)
    assert _statements(moved) == _statements(novel)


def moved_on(placed: PlacedFinding, by: int) -> PlacedFinding:
    evidence = placed.finding.evidence
    further = {"start": evidence.start + by, "end": evidence.end + by}
    changed = {"evidence": evidence.model_copy(update=further)}
    finding = placed.finding.model_copy(update=changed)
    return PlacedFinding(placed.chapter_number, placed.chapter_id, finding, placed.tier)


def impact(before: list[PlacedFinding], after: list[PlacedFinding]) -> list[tuple[str, str]]:
    found = compare(fold(before), fold(after), Rules())
    return sorted((one.type, one.name) for one in found.vanishing)


def test_a_person_lives_on_under_the_next_name() -> None:
    first, second = at(1, person("沈砚秋", "老沈")), at(2, person("砚秋"))
    hurt = at(2, change("砚秋", "condition", "受了伤"))
    # 砚秋 was 沈砚秋 in short, and is known by that name alone once the first chapter is gone.
    lost = impact([first, second, hurt], [second, hurt])
    assert lost == [("alias", "沈砚秋"), ("alias", "老沈")]  # not 砚秋, nor that they were hurt


def test_a_by_name_that_two_share_is_no_heir() -> None:
    old, other = at(1, person("沈砚秋", "先生")), at(1, person("顾长风", "先生"))
    assert ("character", "沈砚秋") in impact([old, other], [other])


def test_a_payoff_that_finds_another_seed_leaves_no_orphan() -> None:
    said = at(3, payoff("铜铃响了", "铜铃"))
    two = [at(1, seed("铜铃不响", "铜铃")), at(2, seed("铜铃蒙尘", "铜铃"))]
    before, after = fold([*two, said]), fold([two[1], said])
    found = compare(before, after, Rules())
    assert found.orphaned_threads == []
    assert [one.fact.quote for one in found.vanishing] == ["铜铃不响"]
