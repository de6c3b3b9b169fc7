from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("searches", "0017_asked_scores")]

    operations = [
        migrations.AddField(model_name="child", name="off_policy", field=models.BooleanField(default=False)),
    ]
