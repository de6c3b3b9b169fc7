from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("searches", "0018_off_policy")]

    operations = [
        migrations.AddField(model_name="stream", name="turns", field=models.BigIntegerField(default=0)),
    ]
