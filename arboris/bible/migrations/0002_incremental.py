import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# All but the findings is folded from them: it comes again, with its natural ids, when it is read.
FOLDED = (
    "ForeshadowingEvent",
    "ForeshadowingThread",
    "Relationship",
    "CharacterState",
    "CharacterAlias",
    "Character",
    "WorldEntity",
)


def empty(apps, schema_editor):
    for name in FOLDED:
        rows = apps.get_model("bible", name).objects.using(schema_editor.connection.alias)
        rows.all()._raw_delete(schema_editor.connection.alias)
    if schema_editor.connection.vendor == "postgresql":
        # It alters no table whose foreign keys it still has to check.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")


class Migration(migrations.Migration):

    dependencies = [
        ('bible', '0001_initial'),
        ('novels', '0002_draft_versions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(empty, migrations.RunPython.noop),
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('action', models.CharField(max_length=10, verbose_name='action')),
                ('params', models.JSONField(verbose_name='content')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('undone_at', models.DateTimeField(blank=True, null=True, verbose_name='undone')),
            ],
            options={
                'verbose_name': 'decision',
                'verbose_name_plural': 'decisions',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='FoldedChapter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('journal', models.JSONField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='FoldState',
            fields=[
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='novels.novelproject')),
                ('outdated', models.BooleanField(default=True)),
            ],
        ),
        migrations.CreateModel(
            name='Handle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(max_length=6)),
                ('handle', models.CharField(max_length=210)),
                ('nid', models.CharField(max_length=200)),
                ('partial', models.BooleanField()),
            ],
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20, verbose_name='kind')),
                ('subject', models.TextField(verbose_name='subject')),
                ('ref', models.CharField(max_length=16)),
                ('data', models.JSONField(verbose_name='content')),
            ],
            options={
                'verbose_name': 'notice',
                'verbose_name_plural': 'notices',
            },
        ),
        migrations.AddField(
            model_name='character',
            name='death',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='character',
            name='nid',
            field=models.CharField(default='', max_length=200),
        ),
        migrations.AddField(
            model_name='character',
            name='ref',
            field=models.CharField(default='', max_length=16),
        ),
        migrations.AddField(
            model_name='character',
            name='tier',
            field=models.CharField(default='applied', max_length=10, verbose_name='tier'),
        ),
        migrations.AddField(
            model_name='characteralias',
            name='ref',
            field=models.CharField(default='', max_length=16),
        ),
        migrations.AddField(
            model_name='characteralias',
            name='tier',
            field=models.CharField(default='applied', max_length=10, verbose_name='tier'),
        ),
        migrations.AddField(
            model_name='characterstate',
            name='growth_level',
            field=models.PositiveSmallIntegerField(default=0, verbose_name='growth'),
        ),
        migrations.AddField(
            model_name='characterstate',
            name='ref',
            field=models.CharField(default='', max_length=16),
        ),
        migrations.AddField(
            model_name='characterstate',
            name='tier',
            field=models.CharField(default='applied', max_length=10, verbose_name='tier'),
        ),
        migrations.AddField(
            model_name='finding',
            name='tier',
            field=models.CharField(default='applied', max_length=10, verbose_name='tier'),
        ),
        migrations.AddField(
            model_name='foreshadowingevent',
            name='certain',
            field=models.BooleanField(default=True, verbose_name='certain'),
        ),
        migrations.AddField(
            model_name='foreshadowingevent',
            name='distance',
            field=models.IntegerField(default=0, verbose_name='chapters from the seed'),
        ),
        migrations.AddField(
            model_name='foreshadowingevent',
            name='ref',
            field=models.CharField(default='', max_length=16),
        ),
        migrations.AddField(
            model_name='foreshadowingevent',
            name='tier',
            field=models.CharField(default='applied', max_length=10, verbose_name='tier'),
        ),
        migrations.AddField(
            model_name='foreshadowingthread',
            name='chapter_number',
            field=models.PositiveIntegerField(default=0, verbose_name='planted in chapter'),
        ),
        migrations.AddField(
            model_name='foreshadowingthread',
            name='nid',
            field=models.CharField(default='', max_length=64),
        ),
        migrations.AddField(
            model_name='foreshadowingthread',
            name='ref',
            field=models.CharField(default='', max_length=16),
        ),
        migrations.AddField(
            model_name='foreshadowingthread',
            name='tier',
            field=models.CharField(default='applied', max_length=10, verbose_name='tier'),
        ),
        migrations.AddField(
            model_name='relationship',
            name='nid',
            field=models.CharField(default='', max_length=16),
        ),
        migrations.AddField(
            model_name='relationship',
            name='ref',
            field=models.CharField(default='', max_length=16),
        ),
        migrations.AddField(
            model_name='relationship',
            name='tier',
            field=models.CharField(default='applied', max_length=10, verbose_name='tier'),
        ),
        migrations.AddField(
            model_name='worldentity',
            name='held',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='worldentity',
            name='holder',
            field=models.CharField(blank=True, default='', max_length=200),
        ),
        migrations.AddField(
            model_name='worldentity',
            name='nid',
            field=models.CharField(default='', max_length=200),
        ),
        migrations.AddField(
            model_name='worldentity',
            name='ref',
            field=models.CharField(default='', max_length=16),
        ),
        migrations.AddField(
            model_name='worldentity',
            name='tier',
            field=models.CharField(default='applied', max_length=10, verbose_name='tier'),
        ),
        migrations.AlterField(
            model_name='character',
            name='chapter',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='novels.chapter'),
        ),
        migrations.AlterField(
            model_name='character',
            name='last_chapter',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='novels.chapter'),
        ),
        migrations.AlterField(
            model_name='characteralias',
            name='chapter',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='novels.chapter'),
        ),
        migrations.AlterField(
            model_name='characterstate',
            name='chapter',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='novels.chapter'),
        ),
        migrations.AlterField(
            model_name='foreshadowingevent',
            name='chapter',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='novels.chapter'),
        ),
        migrations.AlterField(
            model_name='foreshadowingthread',
            name='chapter',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='novels.chapter'),
        ),
        migrations.AlterField(
            model_name='relationship',
            name='chapter',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='novels.chapter'),
        ),
        migrations.AlterField(
            model_name='worldentity',
            name='aliases',
            field=models.JSONField(default=dict, verbose_name='aliases'),
        ),
        migrations.AlterField(
            model_name='worldentity',
            name='chapter',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='novels.chapter'),
        ),
        migrations.AddIndex(
            model_name='character',
            index=models.Index(fields=['project', '-mentions'], name='character_by_mentions'),
        ),
        migrations.AddIndex(
            model_name='foreshadowingthread',
            index=models.Index(fields=['project', '-chapter_number'], name='thread_by_chapter'),
        ),
        migrations.AddIndex(
            model_name='worldentity',
            index=models.Index(fields=['project', '-mentions'], name='world_by_mentions'),
        ),
        migrations.AddConstraint(
            model_name='character',
            constraint=models.UniqueConstraint(fields=('project', 'nid'), name='character_once_per_novel'),
        ),
        migrations.AddConstraint(
            model_name='foreshadowingthread',
            constraint=models.UniqueConstraint(fields=('project', 'nid'), name='thread_once_per_novel'),
        ),
        migrations.AddConstraint(
            model_name='relationship',
            constraint=models.UniqueConstraint(fields=('project', 'nid'), name='relationship_once_per_novel'),
        ),
        migrations.AddConstraint(
            model_name='worldentity',
            constraint=models.UniqueConstraint(fields=('project', 'nid'), name='world_once_per_novel'),
        ),
        migrations.AddField(
            model_name='decision',
            name='project',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='decisions', to='novels.novelproject'),
        ),
        migrations.AddField(
            model_name='decision',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by'),
        ),
        migrations.AddField(
            model_name='foldedchapter',
            name='chapter',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='novels.chapter'),
        ),
        migrations.AddField(
            model_name='foldedchapter',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='novels.novelproject'),
        ),
        migrations.AddField(
            model_name='handle',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='novels.novelproject'),
        ),
        migrations.AddField(
            model_name='notice',
            name='chapter',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='novels.chapter'),
        ),
        migrations.AddField(
            model_name='notice',
            name='project',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='novels.novelproject'),
        ),
        migrations.AddIndex(
            model_name='foldedchapter',
            index=models.Index(fields=['project', 'number'], name='folded_by_number'),
        ),
        migrations.AddIndex(
            model_name='handle',
            index=models.Index(fields=['project', 'scope', 'handle'], name='handle_lookup'),
        ),
        migrations.AddIndex(
            model_name='handle',
            index=models.Index(fields=['project', 'scope', 'nid'], name='handle_of_entry'),
        ),
    ]
