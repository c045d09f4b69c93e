"""An item in two hands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.continuity.notes import note
from arboris.bible.fold.people import People
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Person, WorldEntry, digest, world_key
from arboris.bible.types.findings import StateChange
from arboris.bible.types.names import key
from arboris.bible.types.placed_finding import PlacedFinding, fact_of

LONGEST_ITEM = 8  # Han characters; four words in English
_GAIN = re.compile(
    "得到|获得|拿到|取得|夺得|夺走|收下|拥有|持有|捡到|拾得|买下|接[过了住]|入手|到手|[拿握佩戴提拔掏取系挂捧攥别]着"
    "|[拔掏取拿摸搜捧翻抽]出|[收藏揣塞装锁放]了?[进入]|[系挂别缝]在|[收藏]好|[递交送赠传留还]给"
    r"|\b(?:gains?|gained|gets?|got|obtain\w*|acquir\w*|takes?|took|receiv\w*|finds?|found|bought"
    r"|owns?|holds?|held|holding|now has|had|wore|wearing|carri\w*|drew|slipped|put|kept|pocketed"
    r"|hung|tucked|pulled|produced|fished|hid|locked|stowed|picked up|inherited|lifted"
    r"|dropped [^.!?]{1,60} (?:in|into) (?:his|her))\b",
    re.IGNORECASE,
)
_LOSS = re.compile(
    "失去|丢失|丢了|交出|交给|送给|赠予|赠给|被夺|遗失|卖掉|归还|还给|递给|传给|留给|毁|碎|烧"
    r"|\b(?:loses?|lost|gives?|gave|given|hand(?:s|ed)|passed|sold|sells?|return(?:s|ed)|destroy\w*"
    r"|broke\w*|burn\w*|stolen|threw|pressed)\b",
    re.IGNORECASE,
)
_TO = "(?:给|到|进|与|于|to|into|in) ?"


def hand_over(
    store: MemoryEntryStore,
    rules: Rules,
    people: People,
    placed: PlacedFinding,
    finding: StateChange,
) -> None:
    """Note that somebody has what somebody else has; then remember who has it."""
    person = people.find(finding.character)
    item = _item(store, rules, finding)
    if person is None or item is None:
        return
    if _LOSS.search(finding.description) and not _is_given(person, finding):
        if item.holder == person.natural_key:
            store.touch(item)
            item.holder, item.held = "", None
        return
    if not _GAIN.search(finding.description) and not _is_given(person, finding):
        return
    if item.holder == person.natural_key:
        return
    before = store.get(Person, item.holder) if item.holder else None
    told = f"{finding.description} {finding.evidence.quote}"
    store.touch(item)
    if (
        before is not None
        and item.held is not None
        and item.held.chapter_id != placed.chapter_id
        and not any(name in told for name in (before.name, *before.aliases))
    ):
        quote = key(finding.evidence.quote)
        ref = digest("item_in_two_hands", placed.chapter_id, key(finding.character), quote)
        note(store, rules, placed, "item_in_two_hands", item.name, ref, item.held,
             people=[before.name, person.name])  # fmt: skip
    item.holder, item.held = person.natural_key, fact_of(placed)


def _is_given(person: Person, finding: StateChange) -> bool:
    """Whether the person is the one to whom it is given: "... gave the key to X"."""
    names = "|".join(map(re.escape, {finding.character, person.name, *person.aliases}))
    return re.search(f"{_TO}(?:{names})", finding.description) is not None


def _item(store: MemoryEntryStore, rules: Rules, finding: StateChange) -> WorldEntry | None:
    """The known item that is meant: by its own name, else by what the description names."""
    if finding.item:
        search_key = rules.canonical(WorldEntry.scope, world_key("item", key(finding.item)))
        found = store.owner(WorldEntry, search_key)
        if found is not None:
            return found
    return _item_in(store, rules, finding.description)


def _item_in(store: MemoryEntryStore, rules: Rules, description: str) -> WorldEntry | None:
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
