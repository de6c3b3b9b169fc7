from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('searches', '0008_shared_weights'),
    ]

    operations = [
        migrations.AddField(
            model_name='training',
            name='for_meter',
            field=models.BooleanField(default=False),
        ),
    ]
