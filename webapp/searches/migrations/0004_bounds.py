from django.db import migrations, models


def forget_snapshots(apps, schema_editor):
    """A state now holds fronts and counts what is over a bound: it is folded anew from the events."""
    apps.get_model("searches", "Snapshot").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("searches", "0003_finalists"),
    ]

    operations = [
        migrations.AddField(
            model_name="child",
            name="accuracy",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="child",
            name="over",
            field=models.CharField(blank=True, default="", max_length=12),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="child",
            name="latency",
            field=models.JSONField(null=True),
        ),
        migrations.RunPython(forget_snapshots, migrations.RunPython.noop),
    ]
