"""What every operator's command shares: exit codes, the question, JSON alone on stdout."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from abc import ABC, abstractmethod
from typing import Any, ClassVar, TextIO, cast

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis import audit
from analysis.management import terminal

log = logging.getLogger("analysis.operators")

EXIT_CODES = gettext_lazy("Exit codes: 0 done, 1 error, 2 wrong usage, 3 partly done.")


class Failed(CommandError):
    """Exit 1: nothing, or not what was asked, could be done."""


class UsageError(CommandError):
    """Exit 2: the command was called wrongly; the message names the argument."""

    def __init__(self, argument: str, message: str) -> None:
        super().__init__(f"{argument}: {message}" if argument else message, returncode=2)


class PartlyDone(CommandError):
    """Exit 3: some of it was done, and what was done stays done."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=3)


class OperatorCommand(BaseCommand, ABC):
    """Subclasses fill ``about``, ``examples`` (one command line each), ``arguments`` and
    ``run``."""

    about: ClassVar[str | Promise] = ""
    examples: ClassVar[tuple[str, ...]] = ()
    # Of settings that do not fit together. The other checks load all pages, which takes a second.
    requires_system_checks = [Tags.compatibility]
    changes = False  # whether it takes --dry-run, --noinput and --reason
    asks = True  # whether such a change is asked for; else --noinput is taken and does nothing
    dry_run_help: ClassVar[str | Promise] = gettext_lazy("Show what would be done; change nothing.")

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        with translation.override(terminal.language()):
            kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
            parser = super().create_parser(prog_name, subcommand, **kwargs)
            lines = [f"  manage.py {subcommand} {line}".rstrip() for line in self.examples]
            parser.description = str(self.about)
            parser.epilog = "\n".join([_("Examples:"), *lines, "", str(EXIT_CODES)])
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        self.arguments(parser)
        if self.changes:
            parser.add_argument("--dry-run", action="store_true", help=str(self.dry_run_help))
            silent = _("Ask no question.") if self.asks else _("No effect: nothing is asked.")
            parser.add_argument("--noinput", "--no-input", action="store_true", help=silent)
            parser.add_argument(
                "--reason", default="", metavar="TEXT", help=_("Why; recorded with the change.")
            )
        parser.add_argument(
            "--json",
            action="store_true",
            help=_("One JSON document on stdout, everything else on stderr."),
        )

    def arguments(self, parser: CommandParser) -> None:
        """The command's own arguments."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        with translation.override(terminal.language()):
            try:
                done = super().execute(*args, **options)
                self.out.flush()
                return done
            except OSError as error:
                terminal.silence(self.out, error)
                raise Failed(_("Nobody reads the output any more.")) from error
            except DatabaseError as error:
                message = _("The database refused: %(error)s") % {"error": error}
                raise Failed(message) from error

    def handle(self, *args: Any, **options: Any) -> None:
        self.json: bool = options["json"]
        self.dry_run: bool = options.get("dry_run", False)
        self.run(options)

    @abstractmethod
    def run(self, options: dict[str, Any]) -> None:
        """Do what was asked."""

    # --- talking -------------------------------------------------------------------------
    @property
    def err(self) -> TextIO:
        """stderr itself, for what draws on a terminal."""
        return cast(TextIO, getattr(self.stderr, "_out", self.stderr))

    @property
    def out(self) -> TextIO:
        return cast(TextIO, getattr(self.stdout, "_out", self.stdout))

    def say(self, text: str) -> None:
        """To a person: on stdout, or on stderr where stdout carries JSON."""
        if self.json:
            self.note(text)
        else:
            self.stdout.write(text)

    def note(self, text: str) -> None:
        self.stderr.write(text, style_func=str)

    def data(self, document: Any) -> None:
        """The one JSON document."""
        self.stdout.write(as_json(document, indent=2))

    # --- asking --------------------------------------------------------------------------
    def confirm(self, question: str, options: dict[str, Any]) -> None:
        """Return if the operator agrees; UsageError where nobody can be asked, Failed on a no."""
        if options["noinput"] or self.dry_run:
            return
        if not sys.stdin.isatty():
            raise UsageError("--noinput", _("needed where no terminal can be asked."))
        self.stderr.write(f"{question} [y/N]", style_func=str, ending=" ")
        self.err.flush()
        try:
            answer = sys.stdin.readline().strip().lower()
        except KeyboardInterrupt:
            answer = ""
        if answer not in {"y", "yes", "是"}:
            raise Failed(_("Nothing was changed."))

    def entry(self, options: dict[str, Any], **details: Any) -> audit.Entry:
        """The row that tells who changes what, and why; it comes with the first change."""
        actor, reason = audit.at_the_terminal(), options["reason"]
        return audit.Entry(actor, self.name, reason, details)

    def log(self, what: str, reason: str) -> None:
        """The same as one line in the log."""
        actor = audit.at_the_terminal()
        log.info("%s by %s: %s; reason: %s", self.name, actor, what, reason or "-")

    def close(self, entry: audit.Changes, *, interrupted: bool) -> None:
        """Say in the record and in the log what was done."""
        entry.close(interrupted=interrupted)
        if entry.count:
            shown = ", ".join(str(task_id) for task_id in entry.ids)
            more = f" and {entry.count - len(entry.ids)} more"
            ids = f"{shown}{more if entry.count > len(entry.ids) else ''}"
            self.log(f"{entry.count} done: {ids}", entry.reason)

    @property
    def name(self) -> str:
        return type(self).__module__.rsplit(".", 1)[-1]


def as_json(value: Any, *, indent: int | None = None) -> str:
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    ascii_only = not encoding.startswith("utf")
    return json.dumps(value, ensure_ascii=ascii_only, indent=indent, cls=DjangoJSONEncoder)
