"""Score the offline analyzer on labelled chapters: what `make eval` calls."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.analyzers.local import LocalAnalyzer
from analysis.evaluation.documents import BadDocument, Document, documents
from analysis.evaluation.names import LISTS
from analysis.evaluation.report import found_in, lines, measure
from analysis.management.base import Failed, OperatorCommand, UsageError


class Command(OperatorCommand):
    help = "Score the offline analyzer on a directory of labelled chapters."
    about = gettext_lazy(
        "Score the offline analyzer on a directory of labelled chapters.\n\n"
        "The directory holds docs.jsonl (doc_id, lang, text) and what tells right from wrong: "
        "gold.jsonl with the names of each chapter, stories.jsonl with what whole stories tell, "
        "or a score.py that is given the names found and prints figures of its own."
    )
    examples = ("path/to/chapters", "path/to/chapters --per-doc", "path/to/chapters --json")

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", metavar="DATA_DIR", help=_("The labelled chapters."))
        parser.add_argument(
            "--per-doc", action="store_true", help=_("What was missed and wrong, by document.")
        )

    def run(self, options: dict[str, Any]) -> None:
        directory = Path(options["directory"])
        chapters = self._file(directory, "docs.jsonl")
        scorer, gold = directory / "score.py", directory / "gold.jsonl"
        if not scorer.is_file() and not gold.is_file():
            self._file(directory, "gold.jsonl")
        try:
            if scorer.is_file():
                flags = [f for f in ("--json", "--per-doc") if options[f[2:].replace("-", "_")]]
                self._score(scorer, list(documents(chapters)), flags)
            if gold.is_file() and not (options["json"] and scorer.is_file()):
                self._measure(directory, as_json=options["json"])
        except BadDocument as error:
            raise Failed(str(error)) from error

    def _score(self, scorer: Path, chapters: list[Document], flags: list[str]) -> None:
        """Hand the names found to a scorer that came with the chapters; print what it says."""
        with tempfile.TemporaryDirectory(prefix="arboris-eval-") as folder:
            predictions = Path(folder) / "predictions.jsonl"
            with predictions.open("w", encoding="utf-8") as out:
                for line in _predict(chapters):
                    out.write(json.dumps(line, ensure_ascii=False) + "\n")
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

    def _measure(self, directory: Path, *, as_json: bool) -> None:
        figures = measure(LocalAnalyzer(), directory)
        if as_json:
            plain = {language: asdict(of) for language, of in figures.items()}
            self.stdout.write(json.dumps(plain, ensure_ascii=False))
            return
        for line in lines(figures):
            self.stdout.write(line)

    @staticmethod
    def _file(directory: Path, name: str) -> Path:
        if not directory.is_dir():
            raise UsageError("DATA_DIR", _("%(path)s is no directory.") % {"path": directory})
        path = directory / name
        if not path.is_file():
            raise UsageError("DATA_DIR", _("%(path)s is missing.") % {"path": path})
        return path


def _predict(chapters: list[Document]) -> Iterator[dict[str, Any]]:
    """One line for the scorer a document: its characters, locations and organizations."""
    analyzer = LocalAnalyzer()
    for document in chapters:
        names: dict[str, Any] = {key: [] for key in LISTS.values()}
        for found in found_in(analyzer, document):
            names[LISTS[found.type]].append({"name": found.name, "aliases": found.aliases})
        yield {"doc_id": document.doc_id, **names}
