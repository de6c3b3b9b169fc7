from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("searches", "0009_honesty_meter"),
    ]

    operations = [
        migrations.AddField(
            model_name="owndata",
            name="kind",
            field=models.CharField(choices=[("images", "Images"), ("text", "Text")], default="images", max_length=6),
        ),
        migrations.AddField(
            model_name="owndata",
            name="files",
            field=models.JSONField(default=list),
        ),
    ]
