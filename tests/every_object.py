"""One object behind every address of the site, all of one writer."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone

from analysis import queue
from analysis.models import QueuePause
from arboris.bible.models import Decision
from arboris.db import in_transaction
from arboris.llm.models import BudgetStop
from arboris.novels.models import Chapter, ImportJob, NovelProject
from notifications.models import AnalysisNotification
from tests.bible.test_fold import person
from tests.bible.test_service import record
from tests.factories import JsonClient, claim_next, client_of, queue_chapter


def make_all(writer: User, novel: NovelProject) -> dict[str, str]:
    """What the converters of addresses stand for, by name; objects of other models are found by
    ``first_key``."""
    task = queue_chapter(novel)
    in_transaction(lambda: queue.finish(claim_next(), {}, {}))
    for _ in range(2):
        queue_chapter(novel)
    record(Chapter.objects.get(pk=task.chapter_id), person("老沈"))
    api = client_of(writer)
    changed = post(api, f"chapters/{task.chapter_id}/versions", {"name": ""})
    post(api, f"projects/{novel.pk}/bible/decisions", ADDED)
    thrown = queue_chapter(novel).chapter_id
    assert api.delete(f"/api/chapters/{thrown}").status_code == 204
    # Of a writer or of a novel: their tables take nothing else.
    some(QueuePause, project=novel)
    some(BudgetStop, subject=f"writer:{writer.pk}")
    for model in admin.site._registry:
        some(model)
    user_type = ContentType.objects.get_for_model(User)
    found = {
        "project_id": novel.pk,
        "chapter_id": task.chapter_id,
        "task_id": task.pk,
        "notification_id": AnalysisNotification.objects.latest("pk").pk,
        "number": changed["version"],
        "decision_id": Decision.objects.latest("pk").pk,
        "entry_id": 1,
        "item_id": thrown,
        "import_id": some(ImportJob).pk,
        "content_type_id": user_type.pk,
        "id": writer.pk,
    }
    return {name: str(value) for name, value in found.items()}


ADDED = {"action": "add", "type": "character", "fields": {"name": "沈砚秋"}}


def post(api: JsonClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = api.post(f"/api/{path}", body)
    assert answer.status_code in (200, 201), (path, answer.content)
    made: dict[str, Any] = json.loads(answer.content)
    return made


def first_key(model: type[models.Model]) -> str:
    return str(some(model).pk)


def some(model: type[models.Model], **given: Any) -> models.Model:
    """A row of that table; where there is none, one is made of what its columns ask for."""
    found = model._default_manager.first()
    if found is not None:
        return found
    values = {
        field.name: value_for(field)
        for field in model._meta.concrete_fields
        if not (field.null or field.has_default() or field.blank or field.primary_key)
        or (field.primary_key and not isinstance(field, models.AutoField))
    }
    return model._default_manager.create(**{**values, **given})


def value_for(field: Any) -> Any:
    if isinstance(field, models.ForeignKey):
        return some(field.related_model)
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.DateField):
        return timezone.now().date()
    if isinstance(field, models.UUIDField):
        return uuid.uuid4()
    if isinstance(field, models.BooleanField | models.IntegerField | models.DecimalField):
        return 1
    if isinstance(field, models.FloatField):
        return 1.0
    if isinstance(field, models.JSONField):
        return {}
    if isinstance(field, models.BinaryField):
        return b"x"
    return field.choices[0][0] if field.choices else "x"
