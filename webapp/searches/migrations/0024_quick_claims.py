from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Only adds. The column has a default in the database, for rows of an earlier version that still runs."""

    dependencies = [("searches", "0023_snapshot_rules")]

    operations = [
        migrations.AddField(model_name="job", name="turns", field=models.BigIntegerField(default=0, db_default=0)),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["stream", "step", "slot"], condition=Q(state="due"), name="job_due_by_place"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["id"], condition=Q(state="due", attempts__gt=0), name="job_due_again"),
        ),
        migrations.AddIndex(
            model_name="stream",
            index=models.Index(fields=["created"], condition=Q(state="running"), name="stream_running"),
        ),
    ]
