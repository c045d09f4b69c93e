"""Write a novel, or a part of it, into a file."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.management.base import Failed, OperatorCommand, UsageError
from analysis.management.selection import find_project
from arboris.novels.manuscript import FORMATS
from arboris.novels.models import NovelProject
from arboris.workspace.archive.save import write_archive
from arboris.workspace.manuscript.service import DEFAULT_FRONT, FRONT, BadChoice, Wish, manuscript

ARCHIVE = "archive"
CHOICES = sorted([*FORMATS, ARCHIVE])


class Command(OperatorCommand):
    about = gettext_lazy(
        "Write a novel into a file: a manuscript, or an archive that import_novel takes back.\n\n"
        "The file appears when it is whole, and replaces one of that name. - is stdout."
    )
    examples = (
        "0f1c… --format epub --output 听雨楼.epub",
        "0f1c… --format docx --chapters 1-12 --front title,writer,synopsis --output part1.docx",
        "0f1c… --format archive --output - | ssh backup 'cat > novel.zip'",
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="UUID", help=_("The novel."))
        parser.add_argument("--format", required=True, metavar="F", help=", ".join(CHOICES))
        parser.add_argument("--output", required=True, metavar="FILE", help=_("The file."))
        parser.add_argument(
            "--chapters", default="", metavar="LIST", help=_("Ids, or numbers and ranges: 3,5-8.")
        )
        parser.add_argument(
            "--volume", default="", metavar="N", help=_("A volume's id, or its place from 1.")
        )
        parser.add_argument(
            "--front",
            default=",".join(sorted(DEFAULT_FRONT)),
            metavar="LIST",
            help=_("What stands in front: %(parts)s.") % {"parts": ", ".join((*FRONT, "none"))},
        )
        parser.add_argument("--writer", default="", metavar="NAME", help=_("A pen name."))

    def run(self, options: dict[str, Any]) -> None:
        project = NovelProject.objects.get(pk=find_project(options["project"]))
        write = _writer(project, options)
        if options["output"] == "-":
            write(sys.stdout.buffer)
            return
        path = Path(options["output"])
        size = _write(path, write)
        if self.json:
            self.data({"project_id": str(project.pk), "file": str(path), "bytes": size})
        else:
            self.say(_("%(file)s: %(size)d bytes") % {"file": path, "size": size})


def _writer(project: NovelProject, options: dict[str, Any]) -> Callable[[IO[bytes]], None]:
    suffix = options["format"]
    if suffix == ARCHIVE:
        if options["chapters"] or options["volume"]:
            raise UsageError("--format", _("An archive is of the whole novel."))
        return lambda file: write_archive(project, file)
    if suffix not in FORMATS:
        said = _("Must be one of: %(choices)s.") % {"choices": ", ".join(CHOICES)}
        raise UsageError("--format", said)
    front = frozenset(filter(None, (part.strip() for part in options["front"].split(","))))
    front -= {"none"}
    if unknown := sorted(front - set(FRONT)):
        known = ", ".join((*FRONT, "none"))
        said = _("%(value)s is none of: %(known)s.") % {"value": unknown[0], "known": known}
        raise UsageError("--front", said)
    try:
        wish = Wish(options["chapters"], options["volume"], front, options["writer"].strip())
        novel = manuscript(project, wish)
    except BadChoice as error:
        raise UsageError(f"--{error.field}", str(error)) from error
    return lambda file: FORMATS[suffix][1](novel, file)


def _write(path: Path, write: Callable[[IO[bytes]], None]) -> int:
    """Into a file beside it first: nobody finds half a novel. Returns its size in bytes."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:50]}.", dir=path.parent)
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                write(file)
                size = file.tell()
            beside.replace(path)
        except BaseException:
            beside.unlink()
            raise
    except OSError as error:
        raise Failed(f"{path}: {error.strerror or error}") from error
    return size
