"""Contradictions between chapters: the dead who act, an item in two hands.

Precision goes before recall: what a memory, a dream or a handing over explains is no contradiction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.people import People
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Fact, Notice, Person, WorldEntry, digest, world_key
from arboris.bible.types.findings import Appearance, StateChange
from arboris.bible.types.names import key
from arboris.bible.types.placed_finding import PlacedFinding, fact_of

CONTRADICTIONS = ("dead_acts", "item_in_two_hands")  # the kinds of notices that come from here
LONGEST_ITEM = 8  # Han characters; four words in English
_DEATH = re.compile(
    "死亡|身亡|死去|去世|丧命|殒命|陨落|被杀|阵亡|毙命|断气|气绝|牺牲|病逝|病故|战死|坐化|圆寂|已死|死于"
    r"|\b(?:dies|died|dead|killed|slain|murdered|passed away|deceased)\b",
    re.IGNORECASE,
)
_NOT_DEATH = re.compile(
    "假死|诈死|装死|未死|没死|没有死|并未|险些|差点|几乎|濒死|垂死|生死未卜|不知生死|死里逃生|以为"
    r"|\b(?:nearly|almost|not|never|feign\w*|faked?|presumed|believed|thought|left for dead)\b",
    re.IGNORECASE,
)
_REVIVAL = re.compile(
    "复活|重生|还魂|生还|没死|未死|活着|假死"
    r"|\b(?:alive|survived|resurrected|returned from the dead|revived)\b",
    re.IGNORECASE,
)
_ACTS = (
    "(?:说|(?<![一知])道|问|答|喊|叫|笑|哭|点头|摇头|走|站|坐|抬|转身|推|拿|伸手|低声|开口|看)"
    r"|\s+(?:says?|said|asks?|asked|replied|answered|walked|smiled|nodded|laughed|stood|turned"
    r"|shouted|whispered|looked|took|sat|opened)\b"
)
_PAST = re.compile(
    "想起|回忆|记得|当年|生前|梦|遗|曾经|那时|往事|灵|魂|鬼|若是|如果|画像|墓|坟|尸|葬|棺|骨灰"
    r"|\b(?:remember\w*|recall\w*|dream\w*|late|memory|memories|ghost|once|years ago|grave|portrait"
    r"|body|corpse|buried|burial|funeral|coffin|ashes"
    r"|had (?:said|asked|told)|used to|would have)\b",
    re.IGNORECASE,
)
_GAIN = re.compile(
    "得到|获得|拿到|取得|夺得|夺走|收下|拥有|持有|捡到|拾得|买下|接过|入手|到手"
    r"|\b(?:gains?|gained|gets?|got|obtain\w*|acquir\w*|takes?|took|receiv\w*|finds?|found|bought"
    r"|owns?|holds?|now has)\b",
    re.IGNORECASE,
)
_LOSS = re.compile(
    "失去|丢失|丢了|交出|交给|送给|赠予|赠给|被夺|遗失|卖掉|归还|还给|毁|碎|烧"
    r"|\b(?:loses?|lost|gives?|gave|hand(?:s|ed) over|sold|sells?|return(?:s|ed)|destroy\w*"
    r"|broke\w*"
    r"|burn\w*|stolen)\b",
    re.IGNORECASE,
)


def look(
    store: MemoryEntryStore, rules: Rules, people: People, findings: list[PlacedFinding]
) -> None:
    """Note what contradicts earlier chapters; then keep who is dead and who has what after it."""
    for placed in findings:
        finding = placed.finding
        if isinstance(finding, Appearance | StateChange):
            _dead(store, rules, people, placed, finding)
    for placed in findings:
        if isinstance(placed.finding, StateChange):
            _live_or_die(store, people, placed, placed.finding)
            if placed.finding.kind == "possession":
                _hand_over(store, rules, people, placed, placed.finding)


# --- the dead ---------------------------------------------------------------------------------
def _dead(
    store: MemoryEntryStore,
    rules: Rules,
    people: People,
    placed: PlacedFinding,
    finding: Appearance | StateChange,
) -> None:
    name = finding.character if isinstance(finding, StateChange) else finding.name
    person = people.find(name)
    if person is None or person.death is None or person.death.chapter_id == placed.chapter_id:
        return
    if _acts(person, finding):
        ref = digest("dead_acts", placed.chapter_id, key(name), key(finding.evidence.quote))
        _note(store, rules, placed, "dead_acts", person.name, ref, person.death)


def _acts(person: Person, finding: Appearance | StateChange) -> bool:
    quote = finding.evidence.quote
    if _PAST.search(quote):
        return False
    if isinstance(finding, StateChange):
        said = finding.description
        of_the_living = finding.kind in ("ability", "location", "possession", "knowledge")
        told = _DEATH.search(said) or _REVIVAL.search(said) or _PAST.search(said)
        return of_the_living and not told
    names = sorted({finding.name, person.name, *person.aliases}, key=len, reverse=True)
    called = "|".join(map(re.escape, names))
    return bool(
        re.search(
            rf"(?:{called})(?!一道|一起|一同|一样)(?:[^。！？，,.!?；;的之]{{0,3}})?(?:{_ACTS})",
            quote,
        )
    )


def _live_or_die(
    store: MemoryEntryStore, people: People, placed: PlacedFinding, finding: StateChange
) -> None:
    if finding.kind != "condition":
        return
    person = people.find(finding.character)
    if person is None:
        return
    said = finding.description
    if _REVIVAL.search(said) and person.death is not None:
        store.touch(person)
        person.death = None
    elif _DEATH.search(said) and not _NOT_DEATH.search(said) and person.death is None:
        store.touch(person)
        person.death = fact_of(placed)


# --- items ------------------------------------------------------------------------------------
def _hand_over(
    store: MemoryEntryStore,
    rules: Rules,
    people: People,
    placed: PlacedFinding,
    finding: StateChange,
) -> None:
    person, item = people.find(finding.character), item_in(store, rules, finding.description)
    if person is None or item is None:
        return
    if _LOSS.search(finding.description):
        if item.holder == person.natural_key:
            store.touch(item)
            item.holder, item.held = "", None
        return
    if not _GAIN.search(finding.description):
        return
    before = (
        store.get(Person, item.holder)
        if item.holder and item.holder != person.natural_key
        else None
    )
    told = f"{finding.description} {finding.evidence.quote}"
    if (
        before is not None
        and item.held is not None
        and item.held.chapter_id != placed.chapter_id
        and not any(name in told for name in (before.name, *before.aliases))
    ):
        quote = key(finding.evidence.quote)
        ref = digest("item_in_two_hands", placed.chapter_id, key(finding.character), quote)
        _note(store, rules, placed, "item_in_two_hands", item.name, ref, item.held,
              people=[before.name, person.name])  # fmt: skip
    if item.holder != person.natural_key:
        store.touch(item)
        item.holder, item.held = person.natural_key, fact_of(placed)


def item_in(store: MemoryEntryStore, rules: Rules, description: str) -> WorldEntry | None:
    """The known item that the description names, the longest name first."""
    search_keys = [world_key("item", key(name)) for name in parts(description)]
    store.fetch_search_keys(WorldEntry.scope, search_keys)
    for search_key in search_keys:
        found = store.owner(WorldEntry, rules.canonical(WorldEntry.scope, search_key))
        if found is not None:
            return found
    return None


def parts(text: str) -> list[str]:
    """What might be a name in a short text, the longest first."""
    return sorted(dict.fromkeys(_parts(text[:80])), key=len, reverse=True)


def _parts(text: str) -> Iterator[str]:
    for run in re.findall("[\u3400-\u9fff]{2,}", text):
        for start in range(len(run)):
            for end in range(start + 2, min(len(run), start + LONGEST_ITEM) + 1):
                yield run[start:end]
    words = re.findall(r"[A-Za-z][\w'’-]*", text)
    for start in range(len(words)):
        for end in range(start + 1, min(len(words), start + 4) + 1):
            yield " ".join(words[start:end])


def _note(
    store: MemoryEntryStore,
    rules: Rules,
    placed: PlacedFinding,
    kind: str,
    subject: str,
    ref: str,
    before: Fact,
    **more: object,
) -> None:
    if ref in rules.rejected_refs:
        return
    data = {
        "earlier": {"chapter_id": before.chapter_id, "quote": before.quote},
        "later": {"chapter_id": placed.chapter_id, "quote": placed.finding.evidence.quote},
        **more,
    }
    notices = store.of_chapter(placed.chapter_id).notices
    notices.setdefault(ref, Notice(kind, subject, placed.chapter_id, ref, data))
