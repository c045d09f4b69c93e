from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('novels', '0007_muted'),
    ]

    operations = [
        migrations.AddField(
            model_name='chapter',
            name='unfinished',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AlterField(
            model_name='chapter',
            name='aside',
            field=models.BigIntegerField(db_default=0, default=0, editable=False),
        ),
    ]
