from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('novels', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='chapterversion',
            name='source',
            field=models.CharField(choices=[('written', 'written'), ('imported', 'imported'), ('generated', 'generated'), ('draft', 'draft')], default='written', max_length=10, verbose_name='source'),
        ),
    ]
