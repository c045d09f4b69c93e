"""The story bible to take away: JSON for other programs, Markdown for people."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from arboris.novels.models import NovelProject
from arboris.workspace.bible import content as bible_content

FORMAT = 1  # of the JSON document; grows where a reader of the old one would go wrong
ROWS = {"id", "chapter_id", "last_chapter_id", "ref"}  # names of rows, which others do not know
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def as_json(project: NovelProject) -> tuple[str, str]:
    """The whole bible without ids of rows, and its content type; the same bible, the same bytes."""
    document = {
        "format": FORMAT,
        "title": project.title,
        "genre": project.genre,
        "synopsis": project.synopsis,
        "language": project.language,
        **_portable(bible_content.as_dict(project)),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n", "application/json"


def _portable(value: Any) -> Any:
    if isinstance(value, list):
        return [_portable(item) for item in value]
    if isinstance(value, dict):
        return {k: _portable(v) for k, v in value.items() if k not in ROWS}
    return value


def as_markdown(project: NovelProject) -> tuple[str, str]:
    """The same to read, in the caller's language, and its content type."""
    content = bible_content.as_dict(project)
    lines = [f"# {plain(project.title)}", ""]
    if project.synopsis:
        lines += [plain(project.synopsis), ""]
    for key, section in bible_content.SECTIONS.items():
        for part, title in (section.parts or {key: section.title}).items():
            entries = content[key][part] if section.parts else content[key]
            lines += _section(str(title), entries, LINES.get(part, _thing))
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip()
    return f"{text}\n", "text/markdown; charset=utf-8"


def _section(
    title: str, entries: list[dict[str, Any]], lines: Callable[[dict[str, Any]], list[str]]
) -> list[str]:
    if not entries:
        return []
    return [f"## {title}", "", *(line for entry in entries for line in lines(entry)), ""]


def _character(entry: dict[str, Any]) -> list[str]:
    lines = [f"### {_named(entry)}", ""]
    for title, part in (
        (_("Description"), "description"),
        (_("Personality"), "personality"),
        (_("Goals"), "goals"),
        (_("Abilities"), "abilities"),
    ):
        if entry[part]:
            lines.append(f"- {title}: {plain(entry[part])}")
    lines += [f"- {plain(state['description'])}{_source(state)}" for state in entry["states"]]
    return [*lines, *([""] if lines[-1] else [])]


def _thing(entry: dict[str, Any]) -> list[str]:
    said = f": {plain(entry['description'])}" if entry["description"] else ""
    return [f"- **{_named(entry)}**{said}{_source(entry)}"]


def _thread(entry: dict[str, Any]) -> list[str]:
    status = {
        "open": pgettext("foreshadowing", "open"),
        "advanced": pgettext("foreshadowing", "advanced"),
        "paid_off": pgettext("foreshadowing", "paid off"),
        "abandoned": pgettext("foreshadowing", "abandoned"),
    }[entry["status"]]
    lines = [f"- **{status}**: {plain(entry['description'])}{_source(entry)}"]
    return lines + [
        f"  - {plain(event['description'])}{_source(event)}" for event in entry["events"]
    ]


def _relationship(entry: dict[str, Any]) -> list[str]:
    pair = f"{plain(entry['source'])} → {plain(entry['target'])}"
    return [f"- {pair}: {plain(entry['relation'])}{_source(entry)}"]


# The lines of an entry, by the part of the bible; others are shown as entries of the world.
LINES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "characters": _character,
    "foreshadowings": _thread,
    "relationships": _relationship,
}


def _named(entry: dict[str, Any]) -> str:
    others = _(", ").join(plain(alias) for alias in entry["aliases"])
    return plain(entry["name"]) + (f" ({others})" if others else "")


def _source(fact: dict[str, Any]) -> str:
    if fact["chapter_number"] is None:
        return ""
    number = _("chapter %(number)d") % {"number": fact["chapter_number"]}
    where = plain(fact["chapter_title"]) or number
    return f" ({where}: “{plain(fact['quote'])}”)"


def plain(text: str) -> str:
    """Text on one line that Markdown takes as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


FORMATS: dict[str, Callable[[NovelProject], tuple[str, str]]] = {
    "json": as_json,
    "md": as_markdown,
}
