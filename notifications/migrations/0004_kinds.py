import notifications.kinds
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0003_parked'),
    ]

    operations = [
        migrations.AlterField(
            model_name='analysisnotification',
            name='notification_type',
            field=models.CharField(choices=notifications.kinds.choices, max_length=10, verbose_name='type'),
        ),
    ]
