import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0002_certificates"),
        ("syncing", "0002_position"),
    ]

    operations = [
        migrations.RenameModel(old_name="Position", new_name="DeliveredVersions"),
        migrations.AlterModelOptions(
            name="deliveredversions",
            options={"verbose_name": "delivered versions", "verbose_name_plural": "delivered versions"},
        ),
        migrations.AlterField(
            model_name="deliveredversions",
            name="device",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                primary_key=True,
                related_name="delivered",
                serialize=False,
                to="devices.device",
                verbose_name="device",
            ),
        ),
    ]
