"""What is paused or resumed: the whole queue, a novel, a writer, an endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from analysis import queue
from analysis.management.base import UsageError
from analysis.management.selection import find_project, find_user
from analysis.management.terminal import one_line
from analysis.models import EndpointState, PendingAnalysis, QueueControl, QueuePause, Status
from arboris.novels.models import NovelProject


@dataclass(frozen=True, slots=True)
class Paused:
    """Whether something is paused now, since when and why."""

    at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """What is paused, with the words for it; an ``endpoint`` is no target of the queue's own."""

    target: queue.PauseTarget
    words: str
    endpoint: str | None = None

    def row(self) -> dict[str, Any]:
        """In JSON's terms: ``{"all": true}``, ``{"project": id}``, …"""
        if self.endpoint is not None:
            return {"endpoint": self.endpoint}
        if self.target.project_id is not None:
            return {"project": str(self.target.project_id)}
        if self.target.user_id is not None:
            user = get_user_model()._default_manager.get(pk=self.target.user_id)
            return {"user": user.get_username()}
        return {"all": True}

    def state(self) -> Paused:
        if self.endpoint is not None:
            state = EndpointState.objects.filter(pk=self.endpoint).first() or EndpointState()
            return Paused(state.paused_at, state.error_type)
        if self.target.everything:
            control = QueueControl.objects.get(pk=1)
            return Paused(control.paused_at, control.paused_reason)
        pause = QueuePause.objects.filter(**self.target.row()).first()
        return Paused() if pause is None else Paused(pause.paused_at, pause.reason)

    def running(self) -> int:
        if self.endpoint is None:
            return queue.running(self.target)
        running = PendingAnalysis.objects.filter(status=Status.PROCESSING)
        return running.filter(endpoint=self.endpoint).count()

    def sentence(self, text: str) -> str:
        """``text`` with ``%(what)s`` at its start."""
        filled = text % {"what": self.words}
        return filled[:1].upper() + filled[1:]


def add_target(parser: CommandParser, *, endpoint: bool = False) -> None:
    group = parser.add_argument_group(_("what (without any: the whole queue)"))
    one = group.add_mutually_exclusive_group()
    one.add_argument("--project", metavar="UUID", help=_("One novel."))
    one.add_argument("--user", metavar="NAME", help=_("One writer."))
    one.add_argument("--all", action="store_true", help=_("The whole queue."))
    if endpoint:
        one.add_argument("--endpoint", metavar="NAME", help=_("An endpoint that refused us."))


def read_target(options: dict[str, Any]) -> NamedTarget:
    """Check the arguments; UsageError names the one that is wrong."""
    given = [name for name in ("project", "user", "all", "endpoint") if options.get(name)]
    if len(given) > 1:  # the parser sees to it on a command line, not in call_command
        raise UsageError(f"--{given[1]}", _("cannot be combined with --%s.") % given[0])
    if options.get("endpoint"):
        return _endpoint(options["endpoint"])
    if options["project"] is not None:
        project_id = find_project(options["project"])
        title = NovelProject.objects.values_list("title", flat=True).get(pk=project_id)
        words = _("the novel “%(title)s”") % {"title": one_line(title)}
        return NamedTarget(queue.PauseTarget(project_id=project_id), words)
    if options["user"] is not None:
        user = find_user(options["user"])
        words = _("the writer %(name)s") % {"name": one_line(user.get_username())}
        return NamedTarget(queue.PauseTarget(user_id=int(user.pk)), words)
    return NamedTarget(queue.PauseTarget(), _("the whole queue"))


def _endpoint(name: str) -> NamedTarget:
    """One that has refused us at some time, or the one of the settings."""
    known = list(EndpointState.objects.order_by("name").values_list("name", flat=True)[:20])
    if name != queue.configured().name and not EndpointState.objects.filter(pk=name).exists():
        raise UsageError(
            "--endpoint",
            _("there is no endpoint %(name)r; known: %(known)s.")
            % {"name": name, "known": ", ".join(known) or "-"},
        )
    return NamedTarget(
        queue.PauseTarget(), _("the endpoint %(name)s") % {"name": one_line(name)}, name
    )
