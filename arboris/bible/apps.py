from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete
from django.utils.translation import gettext_lazy as _


class BibleConfig(AppConfig):
    name = "arboris.bible"
    label = "bible"
    verbose_name = _("Story bible")

    def ready(self) -> None:
        from arboris.novels.models import Chapter

        post_delete.connect(_outdate, sender=Chapter, dispatch_uid="bible_without_chapter")


def _outdate(sender: Any, instance: Any, origin: Any = None, **_kwargs: Any) -> None:
    """A chapter is gone, and with it its findings; not where the whole novel goes.

    What was in the trash has left the bible before.
    """
    from arboris.bible import readings, service
    from arboris.novels.models import Chapter

    if instance.deleted_at is None and getattr(origin, "model", type(origin)) is Chapter:
        service.outdate([instance.project_id])
        readings.look_from(instance.project_id, instance.chapter_number)
