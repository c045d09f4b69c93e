
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def move_claims(apps, schema_editor):
    """The claims so far move from the tally's shards to the control row."""
    control = apps.get_model("analysis", "QueueControl")
    tally = apps.get_model("analysis", "StatusTally")
    claimed = tally.objects.aggregate(n=models.Sum("claimed"))["n"] or 0
    control.objects.filter(pk=1).update(claimed=claimed)


class Migration(migrations.Migration):

    dependencies = [
        ('analysis', '0002_tokens'),
        ('novels', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='EndpointState',
            fields=[
                ('name', models.CharField(max_length=100, primary_key=True, serialize=False, verbose_name='endpoint')),
                ('credentials', models.CharField(blank=True, default='', editable=False, max_length=16)),
                ('paused_at', models.DateTimeField(blank=True, null=True, verbose_name='paused')),
                ('error_type', models.CharField(blank=True, default='', max_length=50, verbose_name='error')),
                ('error_message', models.TextField(blank=True, default='', verbose_name='error message')),
                ('probe_at', models.DateTimeField(blank=True, null=True, verbose_name='next probe')),
                ('probes', models.PositiveIntegerField(default=0, verbose_name='probes')),
            ],
            options={
                'verbose_name': 'endpoint',
                'verbose_name_plural': 'endpoints',
            },
        ),
        migrations.CreateModel(
            name='OperatorAction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True, verbose_name='time')),
                ('actor', models.CharField(max_length=200, verbose_name='by')),
                ('action', models.CharField(max_length=50, verbose_name='action')),
                ('reason', models.CharField(blank=True, default='', max_length=500, verbose_name='reason')),
                ('count', models.PositiveIntegerField(default=0, verbose_name='analyses')),
                ('details', models.JSONField(blank=True, default=dict, verbose_name='details')),
            ],
            options={
                'verbose_name': "operator's action",
                'verbose_name_plural': "operators' actions",
            },
        ),
        migrations.CreateModel(
            name='QueuePause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(blank=True, default='', max_length=500, verbose_name='reason')),
                ('paused_at', models.DateTimeField(verbose_name='paused')),
            ],
            options={
                'verbose_name': 'pause',
                'verbose_name_plural': 'pauses',
            },
        ),
        migrations.AddField(
            model_name='pendinganalysis',
            name='endpoint',
            field=models.CharField(blank=True, default='', max_length=100, verbose_name='endpoint'),
        ),
        migrations.AddField(
            model_name='pendinganalysis',
            name='turn',
            field=models.BigIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='queuecontrol',
            name='claimed',
            field=models.BigIntegerField(default=0, verbose_name='claims'),
        ),
        migrations.AddField(
            model_name='queuecontrol',
            name='pruned_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='pruned'),
        ),
        migrations.AddField(
            model_name='queuecontrol',
            name='resumed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='last resumed'),
        ),
        migrations.AddField(
            model_name='queuecontrol',
            name='turn',
            field=models.BigIntegerField(default=0, editable=False),
        ),
        migrations.AlterField(
            model_name='analysisattempt',
            name='task',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='analysis.pendinganalysis'),
        ),
        migrations.AlterField(
            model_name='pendinganalysis',
            name='chapter',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='analyses', to='novels.chapter', verbose_name='chapter'),
        ),
        migrations.AddIndex(
            model_name='pendinganalysis',
            index=models.Index(condition=models.Q(('status', 'pending')), fields=['status', '-priority', 'turn', 'created_at', 'id'], name='pending_analysis_turns'),
        ),
        migrations.AddIndex(
            model_name='pendinganalysis',
            index=models.Index(fields=['status', 'user', 'priority', 'turn', 'project'], name='pending_analysis_user_line'),
        ),
        migrations.RemoveIndex(
            model_name='pendinganalysis',
            name='pending_analysis_ended',
        ),
        migrations.AddIndex(
            model_name='pendinganalysis',
            index=models.Index(condition=models.Q(('completed_at__isnull', False)), fields=['status', 'completed_at'], name='pending_analysis_ended'),
        ),
        migrations.AddField(
            model_name='queuepause',
            name='project',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='novels.novelproject', verbose_name='novel'),
        ),
        migrations.AddField(
            model_name='queuepause',
            name='user',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='writer'),
        ),
        migrations.AddConstraint(
            model_name='queuepause',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('project__isnull', False), ('user__isnull', True)), models.Q(('project__isnull', True), ('user__isnull', False)), _connector='OR'), name='pause_of_a_novel_or_a_writer'),
        ),
        migrations.RemoveIndex(
            model_name='pendinganalysis',
            name='pending_analysis_user_status',
        ),
        migrations.RemoveIndex(
            model_name='pendinganalysis',
            name='pending_analysis_proj_status',
        ),
        migrations.RemoveIndex(
            model_name='pendinganalysis',
            name='pending_analysis_lease',
        ),
        migrations.RunPython(move_claims, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name='statustally',
            name='claimed',
        ),
    ]
