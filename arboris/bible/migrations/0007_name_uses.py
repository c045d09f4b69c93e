"""How many chapters have each name of a person: every novel is folded anew to count them."""

from django.db import migrations, models


def outdate(apps, schema_editor):
    apps.get_model("bible", "FoldState").objects.update(outdated=True)
    apps.get_model("bible", "FoldedChapter").objects.update(journal=None)


class Migration(migrations.Migration):
    dependencies = [("bible", "0006_traits")]

    operations = [
        migrations.AddField("character", "uses", models.JSONField(blank=True, default=dict)),
        migrations.RunPython(outdate, migrations.RunPython.noop),
    ]
