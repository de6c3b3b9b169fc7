from django.db import migrations, models


def count_hours(apps, schema_editor):
    """How long each stream has been running so far, from its log."""
    Stream, Event = apps.get_model("searches", "Stream"), apps.get_model("searches", "Event")
    for stream in Stream.objects.all():
        since, ran = stream.created, 0.0
        changes = Event.objects.filter(stream_id=stream.pk, kind="state_changed").order_by("number")
        for payload, at in changes.values_list("payload", "at"):
            if payload["state"] == "running":
                since = at if since is None else since
            elif since is not None:
                since, ran = None, ran + (at - since)
        Stream.objects.filter(pk=stream.pk).update(ran_seconds=ran, running_since=since)


class Migration(migrations.Migration):
    dependencies = [
        ("searches", "0013_drained_workers"),
    ]

    operations = [
        migrations.AddField(
            model_name="search",
            name="changes",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="stream",
            name="max_hours",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="stream",
            name="max_workers",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="stream",
            name="ran_seconds",
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name="stream",
            name="running_since",
            field=models.FloatField(null=True),
        ),
        migrations.RunPython(count_hours, migrations.RunPython.noop, elidable=True),
    ]
