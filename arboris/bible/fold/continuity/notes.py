"""What is told of a contradiction: both passages."""

from __future__ import annotations

from arboris.bible.decisions.rules import Rules
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Fact, Notice
from arboris.bible.types.findings import Evidence
from arboris.bible.types.placed_finding import PlacedFinding

# The kinds of notices that are contradictions.
CONTRADICTIONS = ("dead_acts", "item_in_two_hands", "looks", "age", "two_places", "name_drift")


def note(
    store: MemoryEntryStore,
    rules: Rules,
    placed: PlacedFinding,
    kind: str,
    subject: str,
    ref: str,
    before: Fact,
    *,
    later: Evidence | None = None,
    people: list[str] | None = None,
) -> None:
    """Add the notice to its chapter, unless the writer has said that it is none.

    ``later``: the passage that contradicts ``before``, where it is not the finding's own.
    """
    if ref in rules.rejected_refs:
        return
    evidence = later or placed.finding.evidence
    data: dict[str, object] = {
        "earlier": {"chapter_id": before.chapter_id, "quote": before.quote},
        "later": {"chapter_id": placed.chapter_id, "quote": evidence.quote},
    }
    if people:
        data["people"] = people
    notices = store.of_chapter(placed.chapter_id).notices
    notices.setdefault(ref, Notice(kind, subject, placed.chapter_id, ref, data))
