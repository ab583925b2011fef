"""What is sold: products in categories, with tags and option groups (attributes)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from .base import ChildRecord, ColorField, Record

NOT_NEGATIVE = MinValueValidator(Decimal(0))


class Category(Record):
    looks_around = ("parent",)

    name = models.CharField(_("name"), max_length=100)
    color = ColorField(_("colour"))
    position = models.IntegerField(_("position"), default=0)
    parent = models.ForeignKey(
        "self", models.SET_NULL, verbose_name=_("parent"), related_name="children", null=True, blank=True
    )
    is_active = models.BooleanField(_("active"), default=True)
    print_destinations = models.ManyToManyField(
        "catalog.PrintDestination",
        verbose_name=_("default print destinations"),
        related_name="categories",
        blank=True,
        help_text=_("Where tickets of this category's products go unless a product names its own."),
    )

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["position", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                condition=Q(parent=None),
                name="category_name_is_unique_at_the_top",
                violation_error_message=_("There is a category of this name already."),
            ),
            models.UniqueConstraint(
                Lower("name"),
                "parent",
                name="category_name_is_unique_in_its_parent",
                violation_error_message=_("The parent has a category of this name already."),
            ),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")),
                name="category_is_not_its_own_parent",
                violation_error_message=_("A category can't be its own parent."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def lock_before_clean(self, before: Mapping[str, Any]) -> None:
        # Two moves at the same moment could close a circle that neither of them sees. A new category has none below it.
        if before and self.parent_id is not None and self.parent_id != before["parent_id"]:
            there = {one.pk: one for one in Category.objects.select_for_update(no_key=True).order_by("pk")}
            if self.parent_id not in there:
                raise IntegrityError("the parent was deleted a moment ago")
            for one in (self, *there.values()):
                if one.parent_id in there:
                    one.parent = there[one.parent_id]  # so that ``clean`` reads none of them again

    def clean(self) -> None:
        """Refuse a parent that lies below this category: a tree has no circles."""
        seen = {self.pk}
        above = None if self._state.adding else self.parent
        while above is not None:
            if above.pk in seen:
                raise ValidationError({"parent": _("This parent lies below the category itself.")})
            seen.add(above.pk)
            above = above.parent


class Tag(Record):
    class Kind(models.TextChoices):
        MENU = "menu", _("Menu")
        DIET = "diet", _("Diet")
        ALLERGEN = "allergen", _("Allergen")

    name = models.CharField(_("name"), max_length=60)
    color = ColorField(_("colour"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.MENU)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["kind", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="tag_name_is_unique",
                violation_error_message=_("There is a tag of this name already."),
            ),
            models.CheckConstraint(condition=Q(kind__in=["menu", "diet", "allergen"]), name="tag_kind_is_known"),
        ]

    def __str__(self) -> str:
        return self.name


class Attribute(Record):
    """An option group such as "Size" or "Sauces"; its options travel inside it."""

    class Choice(models.TextChoices):
        ONE = "one", _("One")
        MANY = "many", _("Many")

    name = models.CharField(_("name"), max_length=100)
    choice = models.CharField(_("choice"), max_length=4, choices=Choice, default=Choice.ONE)
    min = models.PositiveSmallIntegerField(_("at least"), default=0)
    max = models.PositiveSmallIntegerField(
        _("at most"), null=True, blank=True, help_text=_("Empty: as many as there are options.")
    )
    free = models.PositiveSmallIntegerField(
        _("free"), default=0, help_text=_("So many options cost nothing; the price change counts after them.")
    )
    is_required = models.BooleanField(_("required"), default=False)
    position = models.IntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("attribute")
        verbose_name_plural = _("attributes")
        ordering = ["position", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="attribute_name_is_unique",
                violation_error_message=_("There is an attribute of this name already."),
            ),
            models.CheckConstraint(condition=Q(choice__in=["one", "many"]), name="attribute_choice_is_known"),
            models.CheckConstraint(
                condition=Q(max=None) | Q(max__gte=F("min")),
                name="attribute_max_is_not_below_min",
                violation_error_message=_("“At most” can't be less than “at least”."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AttributeOption(ChildRecord):
    of_another = _("This is an option of another attribute.")
    given_twice = _("An option is given twice.")

    attribute = models.ForeignKey(Attribute, models.CASCADE, verbose_name=_("attribute"), related_name="options")
    name = models.CharField(_("name"), max_length=100)
    price_change = models.DecimalField(_("price change"), max_digits=10, decimal_places=2, default=Decimal("0.00"))
    is_default = models.BooleanField(_("default"), default=False)
    is_sold_out = models.BooleanField(_("sold out"), default=False)
    position = models.IntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("option")
        verbose_name_plural = _("options")
        ordering = ["position", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                "attribute",
                Lower("name"),
                name="option_name_is_unique_in_its_attribute",
                violation_error_message=_("The attribute has an option of this name already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Product(Record):
    class PriceType(models.TextChoices):
        FIXED = "fixed", _("Fixed")
        OPEN = "open", _("Open")
        WEIGHT = "weight", _("By weight")

    class Unit(models.TextChoices):
        KG = "kg", _("Kilogram")
        G = "g", _("Gram")
        LB = "lb", _("Pound")
        OZ = "oz", _("Ounce")
        L = "l", _("Litre")
        ML = "ml", _("Millilitre")

    name = models.CharField(_("name"), max_length=200)
    short_name = models.CharField(
        _("short name"), max_length=60, blank=True, default="", help_text=_("What the till's button says.")
    )
    kitchen_name = models.CharField(
        _("kitchen name"), max_length=60, blank=True, default="", help_text=_("What the ticket says.")
    )
    sku = models.CharField(_("SKU"), max_length=64, blank=True, default="")
    barcode = models.CharField(_("barcode"), max_length=64, blank=True, default="")
    description = models.TextField(_("description"), max_length=4000, blank=True, default="")
    price = models.DecimalField(_("price"), max_digits=10, decimal_places=2, validators=[NOT_NEGATIVE])
    price_type = models.CharField(_("price type"), max_length=6, choices=PriceType, default=PriceType.FIXED)
    unit = models.CharField(
        _("unit"), max_length=2, choices=Unit, blank=True, default="", help_text=_("Only for sale by weight.")
    )
    tax_rate = models.DecimalField(
        _("tax rate"),
        max_digits=5,
        decimal_places=2,
        default=Decimal("0.00"),
        validators=[NOT_NEGATIVE, MaxValueValidator(Decimal(100))],
        help_text=_("In percent."),
    )
    color = ColorField(_("colour"))
    category = models.ForeignKey(Category, models.PROTECT, verbose_name=_("category"), related_name="products")
    tags = models.ManyToManyField(Tag, verbose_name=_("tags"), related_name="products", blank=True)
    attributes = models.ManyToManyField(Attribute, verbose_name=_("attributes"), related_name="products", blank=True)
    print_destinations = models.ManyToManyField(
        "catalog.PrintDestination",
        verbose_name=_("print destinations"),
        related_name="products",
        blank=True,
        help_text=_("None: those of the category."),
    )
    image = models.ForeignKey(
        "images.Image",
        models.PROTECT,
        verbose_name=_("image"),
        related_name="products",
        null=True,
        blank=True,
    )
    position = models.IntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)
    is_sold_out = models.BooleanField(_("sold out"), default=False)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["position", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                "sku",
                condition=~Q(sku=""),
                name="sku_is_unique_when_set",
                violation_error_message=_("Another product has this SKU."),
            ),
            models.UniqueConstraint(
                "barcode",
                condition=~Q(barcode=""),
                name="barcode_is_unique_when_set",
                violation_error_message=_("Another product has this barcode."),
            ),
            models.CheckConstraint(
                condition=Q(price__gte=0),
                name="price_is_not_negative",
                violation_error_message=_("A price can't be negative."),
            ),
            models.CheckConstraint(
                condition=Q(tax_rate__gte=0, tax_rate__lte=100),
                name="tax_rate_is_a_percentage",
                violation_error_message=_("A tax rate lies between 0 and 100 percent."),
            ),
            models.CheckConstraint(
                condition=Q(price_type="weight") & ~Q(unit="") | Q(price_type__in=["fixed", "open"]) & Q(unit=""),
                name="unit_is_set_exactly_for_sale_by_weight",
                violation_error_message=_("Sale by weight needs a unit, and only sale by weight has one."),
            ),
        ]

    def __str__(self) -> str:
        return self.name
