import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('novels', '0003_working_copy'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Volume',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(blank=True, max_length=200, verbose_name='title')),
                ('position', models.PositiveIntegerField(verbose_name='position')),
            ],
            options={
                'verbose_name': 'volume',
                'verbose_name_plural': 'volumes',
                'ordering': ['position'],
            },
        ),
        migrations.AddField(
            model_name='chapter',
            name='aside',
            field=models.BigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name='chapter',
            name='deleted_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='deleted'),
        ),
        migrations.AddField(
            model_name='chapter',
            name='notes',
            field=models.TextField(blank=True, db_default='', default='', verbose_name='notes'),
        ),
        migrations.AddField(
            model_name='novelproject',
            name='deleted_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='deleted'),
        ),
        migrations.AddIndex(
            model_name='novelproject',
            index=models.Index(fields=['deleted_at'], name='novel_trash'),
        ),
        migrations.AddField(
            model_name='volume',
            name='project',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='volumes', to='novels.novelproject', verbose_name='novel'),
        ),
        migrations.AddField(
            model_name='chapter',
            name='volume',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='chapters', to='novels.volume', verbose_name='volume'),
        ),
        migrations.AddIndex(
            model_name='chapter',
            index=models.Index(fields=['deleted_at'], name='chapter_trash'),
        ),
        migrations.AddConstraint(
            model_name='chapter',
            constraint=models.UniqueConstraint(fields=('project', 'chapter_number', 'aside'), name='chapter_place_once_per_novel'),
        ),
        # After its successor is there: InnoDB checks the foreign key of the novel by one of them.
        migrations.RemoveConstraint(
            model_name='chapter',
            name='chapter_number_once_per_novel',
        ),
    ]
