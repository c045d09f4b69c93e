from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.db import connections
from django.db.models.signals import post_migrate, pre_delete
from django.utils.translation import gettext_lazy as _

from arboris.db import locked

if TYPE_CHECKING:
    from arboris.llm.prompt_texts import Prompt


class AnalysisConfig(AppConfig):
    name = "analysis"
    verbose_name = _("Analysis")

    def ready(self) -> None:
        from django_q.signals import post_spawn

        from analysis import features, metrics, progress
        from analysis.djangoq import cluster
        from arboris.llm import prompt_texts
        from notifications import ports

        # Sent inside each worker process once it is forked: the first moment a thread may start.
        post_spawn.connect(cluster.start_in_worker, dispatch_uid="arboris-steward")
        post_migrate.connect(create_fixed_rows, sender=self, dispatch_uid="arboris-fixed-rows")
        pre_delete.connect(
            hold_its_tasks, sender="novels.NovelProject", dispatch_uid="arboris-hold-its-tasks"
        )
        metrics.register()
        prompt_texts.register(prompts)
        ports.connect(
            ports.Analyses(
                progress.running,
                progress.live,
                progress.bibles,
                features.updates,
                features.usual,
                features.told,
            )
        )
        if sys.argv[1:2] == ["qcluster"]:
            cluster.prepare()


def prompts() -> Iterable[Prompt]:
    """What staff may read and change of what this room asks; loaded when it is looked at."""
    from analysis.analyzers.llm.prompts.texts import texts
    from arboris.novels import model_summary

    return [*texts(), *model_summary.texts()]


def hold_its_tasks(instance: Any, using: str, **_: Any) -> None:
    """PostgreSQL: take a novel's tasks out of the workers' hands before anything is deleted.

    Workers lock a task, then its attempts; Django deletes the attempts first. PostgreSQL looks
    into such a deadlock only after a second, and lets a claim add an attempt that the deletion
    has not seen. MariaDB notices at once and prefers whom it has cost the least: there a lock up
    front would only make the deletion give way each time.
    """
    if connections[using].vendor == "postgresql":
        tasks = installed.get_model("analysis", "PendingAnalysis").objects.using(using)
        list(locked(tasks.filter(project=instance.pk).order_by("pk")).values_list("pk", flat=True))


def create_fixed_rows(using: str, apps: Any = installed, **_: Any) -> None:
    """The queue's one control row and the shards of the counters: always there.

    Also after a flush, which sends the signal without ``apps``.
    """
    try:
        control = apps.get_model("analysis", "QueueControl")
        tally = apps.get_model("analysis", "StatusTally")
    except LookupError:  # migrated back to before these tables
        return
    control.objects.using(using).get_or_create(pk=1)
    present = set(tally.objects.using(using).values_list("pk", flat=True))
    from analysis.models import StatusTally

    tally.objects.using(using).bulk_create(
        [tally(shard=shard) for shard in range(StatusTally.SHARDS) if shard not in present]
    )
