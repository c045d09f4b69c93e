from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('novels', '0006_uploads'),
    ]

    operations = [
        migrations.AddField(
            model_name='novelproject',
            name='muted',
            field=models.BooleanField(db_default=False, default=False, help_text='Its notifications are only listed: nothing pops up, and none is pushed.', verbose_name='muted'),
        ),
    ]
