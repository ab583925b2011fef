"""Fills an installation with the demo restaurant, all of it or nothing, once."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import models, transaction
from django.utils.text import slugify

from catalog.models import (
    Attribute,
    AttributeOption,
    Category,
    DiningTable,
    Employee,
    PriceRule,
    PrintDestination,
    Product,
    Role,
    Tag,
    Zone,
)
from catalog.services import show_image
from devices.logins import DEMO
from images.services import add_image

from . import house, menu, options

PHOTOS = Path(__file__).parent / "photos"
LOGIN, PASSWORD = DEMO  # public on purpose: it opens the demo, and nothing else makes this account
OURS = uuid.UUID("5d1f0f0e-4a57-5a3b-9d1b-2f6f6d0c0de0")

# Shows a walk through the given things as progress.
Progress = Callable[[Iterable[Any]], Iterable[Any]]


@dataclass(frozen=True)
class Loaded:
    """How much there is of the demo restaurant; ``created`` is False when it had been loaded before."""

    created: bool
    products: int
    pictures: int


def is_loaded() -> bool:
    """Whether the demo restaurant was loaded once, however it was changed since."""
    ids = [demo_id("product", product.name) for category in menu.CATEGORIES for product in category.products]
    return Product.objects.filter(pk__in=ids).exists()


def load(*, progress: Progress = iter) -> Loaded:
    """Load everything, unless it was loaded before; what a manager changed or deleted since stays so.

    Pictures are stored first, since each commits by itself; storing one again does nothing. The records then
    come in one transaction, so an interrupted load is simply begun again.
    """
    if is_loaded():
        return Loaded(created=False, products=0, pictures=0)
    photos = progress(sorted(PHOTOS.glob("*.jpg")))
    hashes = {photo.stem: add_image(data=photo.read_bytes()).image.hash for photo in photos}
    with transaction.atomic():
        printers = load_printers()
        products = load_menu(printers)
        load_floor()
        load_staff()
        load_rules()
        make_superuser()
        shown = [show_image(product_id=pk, hash=hashes[slug]) for slug, pk in products.items() if slug in hashes]
    return Loaded(created=True, products=len(products), pictures=sum(shown))


def demo_id(kind: str, name: str) -> uuid.UUID:
    return uuid.uuid5(OURS, f"{kind}:{name}")


def ids_of(
    model: type[models.Model], names: Iterable[str], *, key: str = "name"
) -> tuple[dict[str, uuid.UUID], set[str]]:
    """An id for each name, and which names are new.

    A restaurant that has a "Kitchen" printer of its own keeps it as it is, and the demo uses it.
    """
    there = {value.casefold(): pk for value, pk in model._default_manager.order_by("pk").values_list(key, "pk")}
    kind = model._meta.model_name or ""
    ids = {name: there.get(name.casefold()) or demo_id(kind, name) for name in names}
    return ids, {name for name in ids if name.casefold() not in there}


def load_printers() -> dict[str, uuid.UUID]:
    ids, new = ids_of(PrintDestination, [printer.name for printer in house.PRINTERS])
    PrintDestination.objects.bulk_create(
        PrintDestination(
            id=ids[printer.name],
            name=printer.name,
            kind=printer.kind,
            address=printer.address,
            copies=printer.copies,
            fallback_id=ids.get(printer.fallback),
        )
        for printer in house.PRINTERS
        if printer.name in new
    )
    return ids


def load_tags() -> dict[str, uuid.UUID]:
    ids, new = ids_of(Tag, [tag.name for tag in options.TAGS])
    Tag.objects.bulk_create(
        Tag(id=ids[tag.name], name=tag.name, kind=tag.kind, color=tag.color) for tag in options.TAGS if tag.name in new
    )
    return ids


def load_attributes() -> dict[str, uuid.UUID]:
    ids, new = ids_of(Attribute, [attribute.name for attribute in options.ATTRIBUTES])
    made = [(position, group) for position, group in enumerate(options.ATTRIBUTES) if group.name in new]
    Attribute.objects.bulk_create(
        Attribute(
            id=ids[group.name],
            name=group.name,
            choice=group.choice,
            is_required=group.required,
            min=group.min,
            max=group.max,
            free=group.free,
            position=position,
        )
        for position, group in made
    )
    AttributeOption.objects.bulk_create(
        AttributeOption(
            id=demo_id("option", f"{group.name}/{option.name}"),
            attribute_id=ids[group.name],
            name=option.name,
            price_change=Decimal(option.change),
            is_default=option.default,
            position=position,
        )
        for _position, group in made
        for position, option in enumerate(group.options)
    )
    return ids


def load_menu(printers: dict[str, uuid.UUID]) -> dict[str, uuid.UUID]:
    """Categories with their products; the ids of the products by slug."""
    tags, attributes = load_tags(), load_attributes()
    ids, new = ids_of(Category, [category.name for category in menu.CATEGORIES])
    made = [(position, category) for position, category in enumerate(menu.CATEGORIES) if category.name in new]
    Category.objects.bulk_create(
        Category(
            id=ids[category.name],
            name=category.name,
            color=category.color,
            position=position,
            parent_id=ids.get(category.parent),
        )
        for position, category in made
    )
    printed = [(ids[category.name], printers[name]) for _position, category in made for name in category.printers]
    link(Category.print_destinations, printed)

    taken = set(Product.objects.exclude(sku="").values_list("sku", flat=True))
    rows, tagged, offered, own = [], [], [], []
    for category in menu.CATEGORIES:
        for position, product in enumerate(category.products):
            row = row_of(category, product, ids[category.name], position, taken)
            rows.append(row)
            tagged += [(row.pk, tags[name]) for name in product.tags]
            offers = dict.fromkeys((*product.attributes, *category.attributes))
            offered += [(row.pk, attributes[name]) for name in offers]
            own += [(row.pk, printers[name]) for name in product.printers]
    Product.objects.bulk_create(rows)
    link(Product.tags, tagged)
    link(Product.attributes, offered)
    link(Product.print_destinations, own)
    return {slugify(row.name): row.pk for row in rows}


def row_of(
    category: menu.Category, product: menu.Product, category_id: uuid.UUID, position: int, taken: set[str]
) -> Product:
    sku = f"{category.sku}-{position + 1:02}"
    return Product(
        id=demo_id("product", product.name),
        name=product.name,
        short_name=product.short or product.name[:20],
        kitchen_name=product.kitchen or product.name.upper()[:24],
        sku="" if sku in taken else sku,
        description=product.description,
        price=Decimal(product.price),
        price_type=Product.PriceType.WEIGHT if product.unit else Product.PriceType.FIXED,
        unit=product.unit,
        tax_rate=Decimal(category.tax),
        color=category.color,
        category_id=category_id,
        position=position,
        is_sold_out=product.sold_out,
    )


def link(field: Any, pairs: list[tuple[uuid.UUID, uuid.UUID]]) -> None:
    """Insert rows of a many-to-many field: (its owner, the other end)."""
    owner, other = f"{field.field.m2m_field_name()}_id", f"{field.field.m2m_reverse_field_name()}_id"
    field.through._default_manager.bulk_create(field.through(**{owner: left, other: right}) for left, right in pairs)


def load_floor() -> None:
    ids, new = ids_of(Zone, [zone.name for zone in house.ZONES])
    made = [(position, zone) for position, zone in enumerate(house.ZONES) if zone.name in new]
    Zone.objects.bulk_create(Zone(id=ids[zone.name], name=zone.name, position=position) for position, zone in made)
    DiningTable.objects.bulk_create(
        DiningTable(
            id=demo_id("table", f"{zone.name}/{table.name}"),
            zone_id=ids[zone.name],
            **asdict(table),
        )
        for _position, zone in made
        for table in zone.tables
    )


def load_staff() -> None:
    roles, new = ids_of(Role, [role.name for role in house.ROLES])
    Role.objects.bulk_create(
        Role(
            id=roles[role.name],
            name=role.name,
            discount_limit=Decimal(role.discount),
            permission_codes=list(role.codes),
        )
        for role in house.ROLES
        if role.name in new
    )
    employees, new = ids_of(Employee, [employee.code for employee in house.EMPLOYEES], key="code")
    rows = [
        (Employee(id=employees[e.code], name=e.name, code=e.code, role_id=roles[e.role]), e.pin)
        for e in house.EMPLOYEES
        if e.code in new
    ]
    for row, pin in rows:
        row.set_pin(pin)
    Employee.objects.bulk_create(row for row, _pin in rows)


def load_rules() -> None:
    targets: dict[str, type[models.Model]] = {
        "category": Category,
        "tag": Tag,
        "product": Product,
        "zone": Zone,
    }
    ids = {
        scope: ids_of(model, [rule.target for rule in house.RULES if rule.scope == scope])[0]
        for scope, model in targets.items()
    }
    PriceRule.objects.bulk_create(
        PriceRule(
            id=demo_id("rule", rule.name),
            name=rule.name,
            adjustment=rule.adjustment,
            value=Decimal(rule.value),
            scope=rule.scope,
            **({f"{rule.scope}_id": ids[rule.scope][rule.target]} if rule.target else {}),
            weekdays=list(rule.weekdays),
            time_from=rule.start,
            time_to=rule.end,
            priority=rule.priority,
            is_stackable=rule.stackable,
            is_active=rule.active,
        )
        for rule in house.RULES
    )


def make_superuser() -> None:
    """The login of the demo; an account of this name that is there already keeps its password."""
    get_user_model().objects.get_or_create(
        username=LOGIN,
        defaults={"is_staff": True, "is_superuser": True, "password": make_password(PASSWORD)},
    )
