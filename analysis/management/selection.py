"""Which tasks a command is about: the selectors, read and checked in one place."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandParser
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from analysis.audit import NAMED
from analysis.errors import ERRORS, SUPERSEDED
from analysis.groups import look
from analysis.management.base import UsageError
from analysis.management.units import parse_duration
from analysis.models import PendingAnalysis, Status
from arboris.db import db_now
from arboris.novels.models import NovelProject

BATCH = 500
HIGHEST_ID = 2**63 - 1
NAMES = ("ids", "status", "error_type", "group", "project", "user", "older_than", "limit", "all")
Tasks = QuerySet[PendingAnalysis]


@dataclass(frozen=True, slots=True)
class Selection:
    """Selectors narrow each other; ``given`` says whether there was any at all."""

    ids: tuple[int, ...] = ()
    statuses: tuple[Status, ...] = ()
    error_types: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()  # fingerprints
    project: uuid.UUID | None = None
    user_id: int | None = None
    older_than: timedelta | None = None
    limit: int | None = None
    all: bool = False
    given: frozenset[str] = field(default_factory=frozenset)

    def tasks(self) -> Tasks:
        """The tasks that fit, without order, and without ``ids`` and ``limit``."""
        tasks = PendingAnalysis.objects.filter(self.subject())
        if self.statuses:
            tasks = tasks.filter(status__in=self.statuses)
        if self.older_than is not None:
            tasks = tasks.filter(created_at__lt=db_now() - self.older_than)
        return tasks

    def subject(self) -> Q:
        """What the selectors say beside ids, status, age and limit."""
        subject = Q()
        if self.error_types:
            subject &= Q(error_type__in=self.error_types)
        if self.groups:
            subject &= Q(error_fingerprint__in=self.groups, error_fingerprint__gt="")
        if self.project:
            subject &= Q(project_id=self.project)
        if self.user_id is not None:
            subject &= Q(user_id=self.user_id)
        return subject

    def batches(self, tasks: Tasks) -> Iterator[list[int]]:
        """Ids of ``tasks`` in primary-key order: every one at most once, none added meanwhile."""
        newest = PendingAnalysis.objects.order_by("-pk").values_list("pk", flat=True).first()
        left = HIGHEST_ID if self.limit is None else self.limit
        for source in self._slices(tasks, newest or 0):
            if not left:
                return
            found = source[: min(left, BATCH)]
            left -= len(found)
            if found:
                yield found

    def _slices(self, tasks: Tasks, newest: int) -> Iterator[list[int]]:
        if self.ids:
            wanted = sorted(set(self.ids))
            for start in range(0, len(wanted), BATCH):
                part = tasks.filter(pk__in=wanted[start : start + BATCH])
                yield list(part.order_by("pk").values_list("pk", flat=True))
            return
        last = 0
        while found := list(
            tasks.filter(pk__gt=last, pk__lte=newest)
            .order_by("pk")
            .values_list("pk", flat=True)[:BATCH]
        ):
            yield found
            last = found[-1]

    def missing(self) -> list[int]:
        """The ids among the selectors that no task has."""
        wanted = sorted(set(self.ids))
        there: set[int] = set()
        for start in range(0, len(wanted), BATCH):
            part = PendingAnalysis.objects.filter(pk__in=wanted[start : start + BATCH])
            there.update(part.values_list("pk", flat=True))
        return [task_id for task_id in wanted if task_id not in there]


def add_selectors(parser: CommandParser) -> None:
    group = parser.add_argument_group(_("which analyses (they narrow each other)"))
    group.add_argument("ids", nargs="*", metavar="ID", help=_("Analyses by number."))
    group.add_argument("--status", action="append", metavar="STATUS", help=", ".join(Status.values))
    group.add_argument(
        "--error-type", action="append", metavar="CODE", help=_("Such as timeout; may be repeated.")
    )
    group.add_argument(
        "--group",
        action="append",
        metavar="FINGERPRINT",
        help=_("Of one cause, as analysis_status names it; may be repeated."),
    )
    group.add_argument("--project", metavar="UUID", help=_("Of one novel."))
    group.add_argument("--user", metavar="NAME", help=_("Of one writer."))
    group.add_argument(
        "--older-than", metavar="AGE", help=_("Queued longer ago than this: 90s, 15m, 2h, 30d, 1w.")
    )
    group.add_argument("--limit", metavar="N", help=_("At most so many, oldest number first."))
    group.add_argument("--all", action="store_true", help=_("Whatever the command can act on."))


def read_selectors(options: dict[str, Any]) -> Selection:
    """Check the selectors; UsageError names the one that is wrong."""
    given = frozenset(name for name in NAMES if options[name] not in (None, False, [], ()))
    if "all" in given and "ids" in given:
        raise UsageError("--all", _("cannot be combined with single ids."))
    return Selection(
        ids=tuple(whole("ID", value, 1, HIGHEST_ID) for value in options["ids"] or ()),
        statuses=statuses("--status", options["status"]),
        error_types=one_of("--error-type", options["error_type"], (*ERRORS, SUPERSEDED)),
        groups=_groups(options["group"]),
        project=None if options["project"] is None else find_project(options["project"]),
        user_id=_user_id(options["user"]),
        older_than=duration("--older-than", options["older_than"]),
        limit=whole("--limit", options["limit"], 1, HIGHEST_ID) if "limit" in given else None,
        all=bool(options["all"]),
        given=given,
    )


def named(options: dict[str, Any]) -> dict[str, Any]:
    """The selectors as they were given, for the record; of many ids the first."""
    given: dict[str, Any] = {}
    for name in NAMES:
        value = options[name]
        if isinstance(value, list | tuple):
            value = [str(word) for word in value[:NAMED]]
        elif value and not isinstance(value, bool):
            value = str(value)
        if value:
            given[name] = value
    return given


def require(selection: Selection) -> None:
    if not selection.given:
        raise UsageError("", _("Say which analyses: ids, --status, --user, … or --all."))


def whole(argument: str, value: Any, low: int, high: int) -> int:
    text = str(value).strip()
    digits = text.isascii() and text.isdigit() and len(text) <= 19
    if not digits or not low <= int(text) <= high:
        allowed = (
            _("a whole number from %(low)d on") % {"low": low}
            if high == HIGHEST_ID
            else _("a whole number from %(low)d to %(high)d") % {"low": low, "high": high}
        )
        raise UsageError(
            argument, _("%(value)r is not %(allowed)s.") % {"value": text, "allowed": allowed}
        )
    return int(text)


def duration(argument: str, value: Any) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    try:
        return parse_duration(str(value))
    except ValueError as error:
        raise UsageError(argument, str(error)) from None


def statuses(argument: str, values: Any) -> tuple[Status, ...]:
    return tuple(Status(word) for word in one_of(argument, values, Status.values))


def one_of(argument: str, values: Any, choices: Sequence[str]) -> tuple[str, ...]:
    words = _words(values)
    for word in words:
        if word not in choices:
            text = _("%(word)r is not one of %(choices)s.")
            raise UsageError(argument, text % {"word": word, "choices": ", ".join(choices)})
    return tuple(words)


def _words(values: str | Sequence[str] | None) -> list[str]:
    """Options that may be repeated or hold several words between commas."""
    several = [values] if isinstance(values, str) else values or []
    return [word.strip() for value in several for word in str(value).split(",") if word.strip()]


def _groups(values: Any) -> tuple[str, ...]:
    """The fingerprints; UsageError names one that no analysis has."""
    words = tuple(word.lower() for word in _words(values))
    for word in words:
        if not look.is_known(word):
            raise UsageError("--group", _("there is no group %(word)r.") % {"word": word})
    return words


def find_project(value: Any) -> uuid.UUID:
    """The id of the novel; UsageError where there is none."""
    try:
        project_id = value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))
    except ValueError:
        raise UsageError("--project", _("%(value)r is not a UUID.") % {"value": value}) from None
    if not NovelProject.objects.filter(pk=project_id).exists():
        raise UsageError("--project", _("there is no novel %(id)s.") % {"id": project_id})
    return project_id


def _user_id(value: Any) -> int | None:
    return None if value is None else int(find_user(value).pk)


def find_user(name: str) -> Any:
    """The account of that name; UsageError where there is none."""
    model = get_user_model()
    user = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
    if user is None:
        raise UsageError("--user", _("there is no account %(name)r.") % {"name": name})
    return user
