from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("images", "0004_labels"),
    ]

    operations = [
        migrations.AddField(
            model_name="storage",
            name="machine",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Whose disk holds it (images/machines.py). Empty: a bucket, or not known yet.",
                max_length=64,
                verbose_name="machine",
            ),
        ),
    ]
