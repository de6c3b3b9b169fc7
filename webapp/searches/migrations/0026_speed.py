from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("searches", "0025_losses")]

    operations = [
        migrations.AddField(model_name="worker", name="speed", field=models.JSONField(default=list, db_default=[])),
        # The column stays until no earlier version that reads it can run beside this one; the database fills it in.
        migrations.AlterField(model_name="worker", name="rates", field=models.JSONField(default=list, db_default=[])),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField(model_name="worker", name="rates")]
        ),
    ]
