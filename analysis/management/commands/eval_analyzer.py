"""Score the offline analyzer on labelled chapters: what `make eval DATA=...` calls."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.analyzers.base import ChapterInput, Language
from analysis.analyzers.local import LocalAnalyzer
from analysis.management.base import Failed, OperatorCommand, UsageError
from arboris.bible.types.findings import Finding, NewCharacter, WorldFact

_LIST = {"location": "locations", "faction": "organizations"}


@dataclass(frozen=True, slots=True)
class Document:
    doc_id: str
    language: Language
    text: str


class Command(OperatorCommand):
    help = "Score the offline analyzer on a directory of labelled chapters."
    about = gettext_lazy(
        "Score the offline analyzer on a directory of labelled chapters.\n\n"
        "The directory holds docs.jsonl (doc_id, lang, text) and a score.py that is given the "
        "names found and prints the figures."
    )
    examples = ("path/to/chapters", "path/to/chapters --per-doc", "path/to/chapters --json")

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", metavar="DATA_DIR", help=_("The labelled chapters."))
        parser.add_argument(
            "--per-doc", action="store_true", help=_("What was missed and wrong, by document.")
        )

    def run(self, options: dict[str, Any]) -> None:
        directory = Path(options["directory"])
        scorer = self._file(directory, "score.py")
        documents = list(_documents(self._file(directory, "docs.jsonl")))
        with tempfile.TemporaryDirectory(prefix="arboris-eval-") as folder:
            predictions = Path(folder) / "predictions.jsonl"
            with predictions.open("w", encoding="utf-8") as out:
                for line in _predict(documents):
                    out.write(json.dumps(line, ensure_ascii=False) + "\n")
            flags = [f for f in ("--json", "--per-doc") if options[f[2:].replace("-", "_")]]
            # The same interpreter, so that the figures do not depend on what else is installed.
            done = subprocess.run(
                [sys.executable, str(scorer), str(predictions), *flags],
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
        if done.stderr:
            self.note(done.stderr.rstrip())
        if done.returncode:
            raise Failed(_("score.py ended with exit code %(code)d.") % {"code": done.returncode})
        self.stdout.write(done.stdout.rstrip())

    @staticmethod
    def _file(directory: Path, name: str) -> Path:
        if not directory.is_dir():
            raise UsageError("DATA_DIR", _("%(path)s is no directory.") % {"path": directory})
        path = directory / name
        if not path.is_file():
            raise UsageError("DATA_DIR", _("%(path)s is missing.") % {"path": path})
        return path


def _documents(path: Path) -> Iterator[Document]:
    """The documents of a JSON Lines file; Failed names the first line that is none."""
    for number, raw in enumerate(path.read_bytes().splitlines(), 1):
        if raw.strip():
            yield _document(path, number, raw)


def _document(path: Path, number: int, line: bytes) -> Document:
    where = {"path": path, "line": number}
    try:
        row = json.loads(line)
    except ValueError as error:  # no JSON, or no UTF-8
        message = _("%(path)s, line %(line)d: no JSON: %(error)s")
        raise Failed(message % {**where, "error": error}) from error
    values = [row.get(k) for k in ("doc_id", "lang", "text")] if isinstance(row, dict) else []
    fields = [v for v in values if isinstance(v, str) and v]
    if len(fields) != 3:
        raise Failed(_("%(path)s, line %(line)d: doc_id, lang and text are needed.") % where)
    doc_id, lang, text = fields
    if lang not in ("zh", "en"):
        message = _("%(path)s, line %(line)d: lang is %(lang)s, not zh or en.")
        raise Failed(message % {**where, "lang": lang})
    return Document(doc_id, cast(Language, lang), text)


def _predict(documents: list[Document]) -> Iterator[dict[str, Any]]:
    """One line for the scorer a document: its characters, locations and organizations."""
    analyzer = LocalAnalyzer()
    for document in documents:
        session = analyzer.open(
            ChapterInput(text=document.text, language=document.language, chapter_number=1)
        )
        found = [
            *session.run("new_character_detection", _go_on).findings,
            *session.run("world_expansion", _go_on).findings,
        ]
        yield {"doc_id": document.doc_id, **_names(found)}


def _names(findings: list[Finding]) -> dict[str, list[dict[str, Any]]]:
    names: dict[str, list[dict[str, Any]]] = {
        "characters": [],
        "locations": [],
        "organizations": [],
    }
    for finding in findings:
        if isinstance(finding, NewCharacter):
            target = "characters"
        elif isinstance(finding, WorldFact) and finding.type in _LIST:
            target = _LIST[finding.type]
        else:
            continue
        names[target].append({"name": finding.name, "aliases": finding.aliases})
    return names


def _go_on(fraction: float) -> None:
    """Nothing stops an evaluation."""
