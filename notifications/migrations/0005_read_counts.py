import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('notifications', '0004_kinds'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReadCount',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('reads', models.PositiveBigIntegerField(default=0, verbose_name='reads')),
            ],
            options={
                'verbose_name': 'count of reads',
                'verbose_name_plural': 'counts of reads',
                'db_table': 'analysis_notification_reads',
            },
        ),
    ]
