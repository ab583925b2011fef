"""What a manager does to many records at once. Each is one transaction; returns how many records changed."""

from decimal import ROUND_HALF_UP, Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Product

CENT = Decimal("0.01")
HIGHEST_PRICE = Decimal("99999999.99")
ROWS_PER_STATEMENT = 500


@transaction.atomic
def set_flag(*, records: QuerySet, flag: str, value: bool) -> list[Model]:
    """Set a boolean column of those records that have another value, and return these."""
    changing = list(records.order_by("pk").filter(**{flag: not value}))
    columns = {flag: value, "updated_at": timezone.now()}
    for start in range(0, len(changing), ROWS_PER_STATEMENT):
        ids = [record.pk for record in changing[start : start + ROWS_PER_STATEMENT]]
        records.model._default_manager.filter(pk__in=ids).update(**columns)
    return changing


def changed_by(price: Decimal, percent: Decimal) -> Decimal:
    """``price`` plus ``percent`` of it, in whole cents; half a cent goes up."""
    return (price * (100 + percent) / 100).quantize(CENT, ROUND_HALF_UP)


@transaction.atomic
def change_prices(*, products: QuerySet[Product], percent: Decimal) -> list[Product]:
    """Change each price by ``percent`` and return those that changed. Raises ValidationError, and changes none."""
    now = timezone.now()
    changed = []
    for product in products.order_by("pk").select_for_update(of=("self",)):
        price = changed_by(product.price, percent)
        if price > HIGHEST_PRICE:
            raise ValidationError(_("The price of “%(name)s” would become too high."), params={"name": product.name})
        if price != product.price:
            product.price, product.updated_at = price, now
            changed.append(product)
    Product.objects.bulk_update(changed, ["price", "updated_at"], batch_size=ROWS_PER_STATEMENT)
    return changed
