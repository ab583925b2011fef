from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
        ("images", "0003_storage"),
        ("studio", "0001_items"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="item",
            name="asked_model",
            field=models.CharField(
                blank=True, default="", editable=False, max_length=100, verbose_name="model asked for"
            ),
        ),
        migrations.AddField(
            model_name="item",
            name="asked_product",
            field=models.UUIDField(editable=False, null=True, verbose_name="product asked for"),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(
                condition=models.Q(("status", "ready"), models.Q(("provider_url", ""), _negated=True)),
                fields=["answered_at"],
                name="item_with_address",
            ),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(
                condition=models.Q(
                    ("answered_at__isnull", False),
                    ("status", "failed"),
                    models.Q(("error__in", ("no_picture", "picture_lost", "processing_failed")), _negated=True),
                ),
                fields=["answered_at"],
                name="item_answered_late",
            ),
        ),
        # Last: its triggers wait for the end of the transaction, and PostgreSQL changes no table that some wait for.
        migrations.RunSQL("UPDATE studio_item SET asked_product = product_id", "SELECT 1"),
    ]
