"""Python names alone: columns, tables, indexes and constraints stay as they are.

The journals name the fields of entries, and none knows which chapter gave a name: every novel is
folded anew when its bible is read next.
"""

from django.db import migrations, models


def outdate(apps, schema_editor):
    apps.get_model("bible", "FoldState").objects.update(outdated=True)
    apps.get_model("bible", "FoldedChapter").objects.update(journal=None)


KEYS = {
    "Character": ("character_once_per_novel", 200),
    "WorldEntity": ("world_once_per_novel", 200),
    "ForeshadowingThread": ("thread_once_per_novel", 64),
    "Relationship": ("relationship_once_per_novel", 16),
}


def renamed(model, constraint, length):
    key = models.CharField(max_length=length, default="", db_column="nid")
    once = models.UniqueConstraint(fields=["project", "natural_key"], name=constraint)
    return [
        migrations.RemoveConstraint(model, constraint),
        migrations.RenameField(model, "nid", "natural_key"),
        migrations.AlterField(model, "natural_key", key),
        migrations.AddConstraint(model, once),
    ]


class Migration(migrations.Migration):
    dependencies = [("bible", "0003_name_chapter")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                *(op for model, (name, length) in KEYS.items() for op in renamed(model, name, length)),
                migrations.RemoveIndex("Handle", "handle_lookup"),
                migrations.RemoveIndex("Handle", "handle_of_entry"),
                migrations.RenameModel("Handle", "SearchKey"),
                migrations.AlterModelTable("SearchKey", "bible_handle"),
                migrations.RenameField("SearchKey", "handle", "search_key"),
                migrations.AlterField(
                    "SearchKey",
                    "search_key",
                    models.CharField(max_length=210, db_column="handle"),
                ),
                migrations.RenameField("SearchKey", "nid", "natural_key"),
                migrations.AlterField(
                    "SearchKey", "natural_key", models.CharField(max_length=200, db_column="nid")
                ),
                migrations.AddIndex(
                    "SearchKey",
                    models.Index(
                        fields=["project", "scope", "search_key"], name="handle_lookup"
                    ),
                ),
                migrations.AddIndex(
                    "SearchKey",
                    models.Index(
                        fields=["project", "scope", "natural_key"], name="handle_of_entry"
                    ),
                ),
            ]
        ),
        migrations.RunPython(outdate, migrations.RunPython.noop),
    ]
