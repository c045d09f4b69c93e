"""Labelled chapters and stories: JSON Lines in a directory, read whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from django.utils.translation import gettext as _

from analysis.analyzers.base import Language


class BadDocument(ValueError):
    """A line that is none; says which."""


@dataclass(frozen=True, slots=True)
class Document:
    doc_id: str
    language: Language
    text: str


def documents(path: Path) -> Iterator[Document]:
    """The documents of docs.jsonl; raises BadDocument at the first line that is none."""
    for number, row in _rows(path):
        values = [row.get(k) for k in ("doc_id", "lang", "text")]
        fields = [v for v in values if isinstance(v, str) and v]
        if len(fields) != 3:
            raise _bad(path, number, _("doc_id, lang and text are needed"))
        doc_id, lang, text = fields
        if lang not in ("zh", "en"):
            raise _bad(path, number, _("lang is %(lang)s, not zh or en") % {"lang": lang})
        yield Document(doc_id, cast(Language, lang), text)


def answers(path: Path) -> dict[str, dict[str, Any]]:
    """gold.jsonl by document; empty where there is none."""
    return {row["doc_id"]: row for _, row in _rows(path, "doc_id")} if path.is_file() else {}


def stories(path: Path) -> list[dict[str, Any]]:
    """stories.jsonl; empty where there is none."""
    return [row for _, row in _rows(path, "chapters")] if path.is_file() else []


def _rows(path: Path, *needed: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, raw in enumerate(path.read_bytes().splitlines(), 1):
        if not raw.strip():
            continue
        try:
            row = json.loads(raw)
        except ValueError as error:  # no JSON, or no UTF-8
            raise _bad(path, number, _("no JSON: %(error)s") % {"error": error}) from error
        if not isinstance(row, dict):
            raise _bad(path, number, _("no object"))
        if missing := [name for name in needed if name not in row]:
            raise _bad(path, number, _("%(name)s is needed") % {"name": missing[0]})
        yield number, row


def _bad(path: Path, number: int, message: str) -> BadDocument:
    where = {"path": path, "line": number, "message": message}
    return BadDocument(_("%(path)s, line %(line)d: %(message)s.") % where)
