from django.db import migrations

RENAMED = {"callplace": "callslot", "spendtally": "spendcounter"}
ACTIONS = ("add", "change", "delete", "view")


def rename_permissions(apps, renamed):
    """Whoever was allowed to see a table still is: Django renames models, not their permissions."""
    Permission = apps.get_model("auth", "Permission")
    for old, new in renamed.items():
        for action in ACTIONS:
            Permission.objects.filter(
                content_type__app_label="llm", codename=f"{action}_{old}"
            ).update(codename=f"{action}_{new}")


def forwards(apps, schema_editor):
    rename_permissions(apps, RENAMED)


def backwards(apps, schema_editor):
    rename_permissions(apps, {new: old for old, new in RENAMED.items()})


class Migration(migrations.Migration):
    """Python names alone: the tables keep their names, and no statement alters them."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("llm", "0001_initial"),
    ]

    operations = [
        migrations.RenameModel("CallPlace", "CallSlot"),
        migrations.RenameModel("SpendTally", "SpendCounter"),
        migrations.AlterModelOptions(
            "callslot", {"verbose_name": "call slot", "verbose_name_plural": "call slots"}
        ),
        migrations.AlterModelOptions(
            "spendcounter",
            {"verbose_name": "spend counter", "verbose_name_plural": "spend counters"},
        ),
        migrations.RunPython(forwards, backwards),
    ]
