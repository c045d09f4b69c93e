"""The groups that come with the site, and the rights that one right became."""

from typing import Any

from django.db import migrations

# Permissions by app, model and action; the names are those that Django gives them.
READ = {
    "analysis": ["pendinganalysis", "analysisattempt", "endpointstate", "operatoraction"]
    + ["queuecontrol", "queuepause", "workerheartbeat"],
    "llm": ["budgetstop", "modelcall"],
    "notifications": ["analysisnotification"],
    "novels": ["chapter", "novelproject"],
}
OPERATE = [
    ("analysis", "pendinganalysis", "retry"),
    ("analysis", "pendinganalysis", "cancel"),
    ("analysis", "pendinganalysis", "change"),
    ("analysis", "endpointstate", "change"),
    ("analysis", "queuecontrol", "change"),
    ("analysis", "queuepause", "add"),
    ("analysis", "queuepause", "delete"),
    ("llm", "budgetstop", "change"),
]
LOOK = [(app, model, "view") for app, models in READ.items() for model in models]
GROUPS = {"Support (read)": LOOK, "Operator": LOOK + OPERATE}


def add_groups(apps: Any, schema_editor: Any) -> None:
    """A group of that name that is there already is left as it is."""
    for name, rights in GROUPS.items():
        group, made = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        if made:
            group.permissions.set([permission(apps, *right) for right in rights])


def keep_rights(apps: Any, schema_editor: Any) -> None:
    """Who could change an analysis could retry and cancel it: they still can."""
    change = permission(apps, "analysis", "pendinganalysis", "change")
    for action in ("retry", "cancel"):
        new = permission(apps, "analysis", "pendinganalysis", action)
        new.user_set.add(*change.user_set.all())
        new.group_set.add(*change.group_set.all())


def permission(apps: Any, app: str, model: str, action: str) -> Any:
    """Made here where a new database has none yet: Django makes them after the migrations, with
    the names of its own, and leaves those that are there."""
    kinds = apps.get_model("contenttypes", "ContentType").objects
    kind, _ = kinds.get_or_create(app_label=app, model=model)
    verbose = apps.get_model(app, model)._meta.verbose_name_raw
    return apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=kind,
        codename=f"{action}_{model}",
        defaults={"name": f"Can {action} {verbose}"},
    )[0]


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0005_permissions"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("llm", "0003_routes_and_prompts"),
        ("notifications", "0005_read_counts"),
        ("novels", "0009_permissions"),
    ]
    operations = [
        migrations.RunPython(keep_rights, migrations.RunPython.noop),
        migrations.RunPython(add_groups, migrations.RunPython.noop),
    ]
