"""Which chapter gave a name is read by nobody: the column goes, and its place in the journals, so
that every novel is folded anew when its bible is read next."""

from django.db import migrations, models


def outdate(apps, schema_editor):
    apps.get_model("bible", "FoldState").objects.update(outdated=True)
    apps.get_model("bible", "FoldedChapter").objects.update(journal=None)


class Migration(migrations.Migration):
    dependencies = [("bible", "0008_fold_behind")]

    operations = [
        migrations.RunPython(outdate, migrations.RunPython.noop),
        migrations.RemoveField("character", "name_chapter"),
        migrations.AddField("foldstate", "taken_at", models.DateTimeField(null=True)),
    ]
