"""The story bible as a prompt tells it: whom and what the next chapter may need, within bounds."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Prefetch, Q

from arboris.bible.models import (
    Character,
    CharacterAlias,
    CharacterState,
    Fact,
    ForeshadowingEvent,
    ForeshadowingThread,
    Relationship,
    WorldEntity,
)

from .material import clip, within
from .story_so_far import StorySoFar
from .wording import Wording

# Bounds in characters, unless it says otherwise.
CHARACTERS = 8_000
MAX_CHARACTERS = 40  # people
MAX_ALIASES = 6  # names
MAX_STATES = 6  # of one character: the latest of each kind
WORLD = 5_000
MAX_THREADS = 40  # threads
THREADS = 5_000
RELATIONSHIPS = 2_500
MOST_ROWS = 500  # people, and things, that are looked at: those named most
PART = 160  # of one description, trait or state
_ROLES = ("main", "supporting", "minor")


@dataclass(frozen=True, slots=True)
class People:
    text: str
    names: dict[int, str]  # by the character's id: who is told of, and as what


def characters(story: StorySoFar, wording: Wording, near: str) -> People:
    """The cast: who is named in ``near`` first, then by role and by how often they are named."""
    rows = _cast(story)
    names = {row.pk: name for row in rows if (name := _name(story, row))}
    shown = [row for row in rows if row.pk in names]

    def rank(row: Character) -> tuple[bool, int, int]:
        called = [names[row.pk], *(alias.name for alias in row.aliases.all())]
        return (not any(name in near for name in called), _rank(story, row), -row.mentions)

    shown.sort(key=rank)
    lines = {row.pk: _character(story, row, names[row.pk], wording) for row in shown}
    kept = set(within(CHARACTERS, list(lines.values())[:MAX_CHARACTERS]))
    return People(
        "\n".join(line for line in lines.values() if line in kept),
        {pk: names[pk] for pk, line in lines.items() if line in kept},
    )


def _cast(story: StorySoFar) -> list[Character]:
    earlier = _earlier(story)
    return list(
        Character.objects.filter(earlier, project=story.project)
        .order_by("-mentions", "pk")
        .prefetch_related(
            Prefetch("aliases", CharacterAlias.objects.filter(earlier).order_by("pk")),
            Prefetch(
                "states",
                CharacterState.objects.filter(earlier)
                .select_related("chapter")
                .order_by("-chapter__chapter_number", "-pk"),
            ),
        )[:MOST_ROWS]
    )


def _earlier(story: StorySoFar) -> Q:
    """What stands in an earlier chapter, or was said by the writer."""
    return Q(chapter__chapter_number__lt=story.number) | Q(chapter=None)


def _name(story: StorySoFar, row: Character) -> str:
    """What the character is called by then; empty where only later chapters say."""
    names = [row.name, *(alias.name for alias in row.aliases.all())]
    return next((name for name in names if story.knows("name", name)), "")


def _rank(story: StorySoFar, row: Character) -> int:
    known = story.knows("role", row.name, row.role) and row.role in _ROLES
    return _ROLES.index(row.role) if known else len(_ROLES)


def _character(story: StorySoFar, row: Character, name: str, wording: Wording) -> str:
    aliases = [alias.name for alias in row.aliases.all() if alias.name != name]
    aliases = [alias for alias in aliases if story.knows("name", alias)][:MAX_ALIASES]
    also = wording.also.format(names=wording.separator.join(aliases)) if aliases else ""
    parts = []
    if story.knows("role", row.name, row.role):
        parts.append(wording.roles.get(row.role, ""))
    if row.description and story.knows("text", row.description):
        parts.append(clip(row.description, PART))
    for part in ("personality", "goals", "abilities"):
        value = getattr(row, part)
        if value and story.knows("text", value):
            parts.append(f"{wording.parts[part]}: {clip(value, PART)}")
    if states := _states(row, wording):
        parts.append(f"{wording.parts['states']}: {states}")
    told = wording.then.join(part for part in parts if part)
    return f"{name}{also}: {told}" if told else f"{name}{also}"


def _states(row: Character, wording: Wording) -> str:
    latest: dict[str, CharacterState] = {}
    for state in row.states.all():  # the newest come first
        latest.setdefault(state.kind, state)
    return wording.then.join(
        f"{_kind(state, wording)} {clip(state.description, PART)}{_place(state, wording)}"
        for state in list(latest.values())[:MAX_STATES]
    )


def _kind(state: CharacterState, wording: Wording) -> str:
    # Of a character "location" says where somebody is, of the world what something is.
    kind = "whereabouts" if state.kind == "location" else state.kind
    return wording.kinds.get(kind, kind)


def relationships(story: StorySoFar, wording: Wording, names: dict[int, str]) -> str:
    """Between characters who are told of; the latest first, should there be too many."""
    rows = Relationship.objects.filter(
        _earlier(story),
        project=story.project,
        source_id__in=names,
        target_id__in=names,
    ).order_by("-chapter__chapter_number", "pk")
    lines = (
        f"{names[row.source_id]} → {names[row.target_id]}: {clip(row.relation, 100)}"
        for row in rows.iterator()
    )
    return "\n".join(within(RELATIONSHIPS, lines))


def world(story: StorySoFar, wording: Wording, near: str) -> str:
    """What is named in ``near`` first, then rules, then what is named most."""
    rows = [
        row
        for row in WorldEntity.objects.filter(_earlier(story), project=story.project).order_by(
            "-mentions", "pk"
        )[:MOST_ROWS]
        if story.knows("name", row.name)
    ]
    rows.sort(
        key=lambda row: (
            not any(name in near for name in (row.name, *row.aliases)),
            row.kind != "rule",
            -row.mentions,
            row.pk,
        )
    )
    return "\n".join(within(WORLD, (_entity(story, row, wording) for row in rows)))


def _entity(story: StorySoFar, row: WorldEntity, wording: Wording) -> str:
    aliases = [alias for alias in row.aliases if story.knows("name", alias)][:MAX_ALIASES]
    also = wording.also.format(names=wording.separator.join(aliases)) if aliases else ""
    known = row.description if story.knows("text", row.description) else ""
    line = f"{wording.kinds.get(row.kind, row.kind)} {row.name}{also}"
    return f"{line}: {clip(known, PART)}" if known else line


def threads(story: StorySoFar, wording: Wording) -> str:
    """Seeds that are not paid off by then, the latest that fit, in the order of their planting."""
    events = ForeshadowingEvent.objects.filter(certain=True).select_related("chapter")
    rows = ForeshadowingThread.objects.filter(
        project=story.project, chapter_number__lt=story.number
    ).exclude(status="abandoned")
    rows = rows.select_related("chapter").prefetch_related(
        Prefetch("events", events.order_by("chapter__chapter_number", "pk"))
    )
    lines: list[str] = []
    for row in rows.order_by("-chapter_number", "-pk"):
        if len(lines) < MAX_THREADS and _is_open(story, row):
            lines.append(_thread(story, row, wording))
    return "\n".join(within(THREADS, lines)[::-1])


def _is_open(story: StorySoFar, row: ForeshadowingThread) -> bool:
    if row.status != "paid_off":
        return True
    closing = [event for event in row.events.all() if event.outcome == "paid_off"]
    # One that is closed without an event was closed by the writer.
    return bool(closing) and _number(closing[0]) >= story.number


def _thread(story: StorySoFar, row: ForeshadowingThread, wording: Wording) -> str:
    line = f"{wording.kinds.get(row.kind, row.kind)}: {clip(row.description, PART)}"
    if row.chapter:
        line += _place(row, wording)
    past = [event for event in row.events.all() if _number(event) < story.number]
    if past:
        line += wording.progress.format(
            description=clip(past[-1].description, PART), chapter=_called(past[-1], wording)
        )
    return line


def _place(fact: Fact, wording: Wording) -> str:
    return wording.at.format(chapter=_called(fact, wording))


def _called(fact: Fact, wording: Wording) -> str:
    title = fact.chapter.title if fact.chapter else ""
    return wording.chapter(_number(fact), " ".join(title.split()))


def _number(fact: Fact) -> int:
    """Of the chapter it stands in; 0 for the writer's own."""
    return fact.chapter.chapter_number if fact.chapter else 0
