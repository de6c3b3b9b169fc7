from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("searches", "0024_quick_claims")]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("count", models.BigIntegerField(default=0)),
            ],
            options={"verbose_name_plural": "tallies"},
        ),
        migrations.AddField(model_name="job", name="lost", field=models.FloatField(null=True)),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["lost"], condition=Q(lost__isnull=False), name="job_by_loss"),
        ),
    ]
