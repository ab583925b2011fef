from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("uploads", "0003_senders")]

    operations = [
        migrations.AddIndex(
            model_name="photo",
            index=models.Index(
                condition=models.Q(("status", "ready"), _negated=True),
                fields=["device"],
                name="photo_waiting_by_device",
            ),
        ),
    ]
