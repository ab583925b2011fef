"""What is done to the catalogue: the verbs behind the API, the upload pipeline and the commands.

Every verb runs in a transaction; ``door.in_one_go`` is the entrance for callers from outside. Values are keyed by
the names of the wire, with ids for relations. A wrong value raises Django's ``ValidationError`` with the errors by
field (``options.0.name`` for a field inside a list, ``__all__`` for what concerns several).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from images.services import HashUnknown, hold_image
from syncing import registry
from syncing.registry import Resource, Row

from .models import Attribute, Category, Employee, Product
from .models.base import Record
from .options import set_options
from .preconditions import Precondition
from .validation import Errors, check_constraints, unknown

Values = Mapping[str, Any]
ANYTHING = Precondition()


class NoSuchRecord(LookupError):
    """No object of this resource has this id."""


class IdTaken(ValueError):
    """An object of this resource has this id already."""


@dataclass(frozen=True)
class Pointing:
    """So many objects of ``resource`` can't be without the one that was to go."""

    resource: str
    count: int


class InUse(Exception):
    """Other objects can't be without this one; ``by`` says which kinds."""

    def __init__(self, by: tuple[Pointing, ...]) -> None:
        super().__init__(by)
        self.by = by


@dataclass(frozen=True)
class Saved:
    """An object as it is now on the wire, and whether it is new."""

    row: Row
    created: bool


@transaction.atomic
def create(*, resource: Resource, values: Values) -> Saved:
    """A new object, under ``values["id"]`` if given. Raises IdTaken and ValidationError."""
    record = resource.model(**({"id": values["id"]} if "id" in values else {}))
    if _exists(resource, record.pk):
        raise IdTaken
    _write(resource, record, values)
    return Saved(_read(resource, record), created=True)


@transaction.atomic
def replace(*, resource: Resource, id: UUID, values: Values, precondition: Precondition = ANYTHING) -> Saved:
    """The object ``id`` with exactly ``values``, the rest at its defaults; it is made when there is none.

    Raises PreconditionFailed and ValidationError.
    """
    record = _locked(resource, id)
    _demand(precondition, resource, record)
    if record is None:
        try:
            return create(resource=resource, values={**values, "id": id})
        except (IdTaken, ValidationError):
            if not _exists(resource, id):
                raise
        # Another made it since we looked; what is wrong then (its own name is taken, say) may be that object's doing.
        return replace(resource=resource, id=id, values=values, precondition=precondition)
    _write(resource, record, {**_defaults(resource), **values})
    return Saved(_read(resource, record), created=False)


@transaction.atomic
def change(*, resource: Resource, id: UUID, values: Values, precondition: Precondition = ANYTHING) -> Saved:
    """The object ``id``, ``values`` changed. Raises NoSuchRecord, PreconditionFailed and ValidationError."""
    record = _locked(resource, id)
    if record is None:
        raise NoSuchRecord
    _demand(precondition, resource, record)
    _write(resource, record, values)
    return Saved(_read(resource, record), created=False)


@transaction.atomic
def remove(*, resource: Resource, id: UUID, precondition: Precondition = ANYTHING) -> None:
    """Delete the object ``id``. Raises NoSuchRecord, PreconditionFailed and InUse."""
    record = _locked(resource, id)
    if record is None:
        raise NoSuchRecord
    _demand(precondition, resource, record)
    if by := tuple(_pointing_at(record)):
        raise InUse(by)
    record.delete()


@transaction.atomic
def show_image(*, product_id: UUID, hash: str) -> bool:
    """Let the product show the stored image ``hash``; False: there is no such product. Raises HashUnknown."""
    product = Product.objects.select_for_update().filter(pk=product_id).first()
    if product is None:
        return False
    if product.image_id != hash:
        hold_image(hash=hash)
        product.image_id = hash
        product.save(update_fields=["image", "updated_at"])
    return True


def pin_is_right(*, employee_id: UUID, pin: str) -> bool:
    """Whether ``pin`` is this active employee's; takes as long whatever the reason. Raises NoSuchRecord."""
    employee = Employee.objects.filter(pk=employee_id).first()
    if employee is None:
        raise NoSuchRecord
    return employee.has_pin(pin) and employee.is_active


def _exists(resource: Resource, id: UUID) -> bool:
    return resource.model._base_manager.filter(pk=id).exists()


def _locked(resource: Resource, id: UUID) -> Record | None:
    return resource.model._base_manager.select_for_update().filter(pk=id).first()  # type: ignore[return-value]


def _read(resource: Resource, record: models.Model) -> Row:
    return resource.read([record.pk])[0]


def _demand(precondition: Precondition, resource: Resource, record: Record | None) -> None:
    """Raises PreconditionFailed. Most writes demand nothing, and reading the object takes several queries."""
    if precondition != ANYTHING:
        precondition.check(_read(resource, record) if record else None)


def _defaults(resource: Resource) -> dict[str, Any]:
    """What each field that a client may leave out is when it is left out."""
    many = {link.field for link in resource.links} | {child.field for child in resource.children}
    values: dict[str, Any] = {name: [] for name in many}
    for name in resource.fields:
        if name not in many:
            field: Any = resource.model._meta.get_field(name)
            if field.editable and (field.has_default() or field.null):
                values[name] = field.get_default()
    return values


def _write(resource: Resource, record: Any, values: Values) -> None:
    """Save ``record`` with ``values`` if that changes anything. Raises ValidationError."""
    before = None if record._state.adding else _columns(record)
    links = {link.field: set(values[link.field]) for link in resource.links if link.field in values}
    for name, value in values.items():
        if name == "pin":
            record.set_pin(value or "")
        elif name in resource.fields and name not in links and name != "options":
            setattr(record, record._meta.get_field(name).attname, value)
    _check(record, before or {}, links)
    if before is not None:
        links = {
            name: ids for name, ids in links.items() if ids != set(getattr(record, name).values_list("pk", flat=True))
        }
    if before is None:
        record.save(force_insert=True)
    for name, ids in links.items():
        getattr(record, name).set(ids)
    options_changed = isinstance(record, Attribute) and "options" in values and set_options(record, values["options"])
    if before is not None and (links or options_changed or _columns(record) != before):
        record.save(force_update=True)


def _columns(record: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(record, field.attname) for field in record._meta.concrete_fields}


def _check(record: Any, before: Mapping[str, Any], links: Mapping[str, Iterable[UUID]]) -> None:
    """Raises ValidationError unless ``record``, which was ``before``, may be saved and linked like this."""
    errors: Errors = {}
    references = [field for field in record._meta.concrete_fields if field.is_relation]
    for field in references:
        target = getattr(record, field.attname)
        if target is None or before.get(field.attname) == target:
            continue
        if field.name == "image":
            try:
                hold_image(hash=target)
            except HashUnknown:
                errors["image"] = [ValidationError(_("No stored image has this hash."), "does_not_exist")]
        elif unknown(field.related_model, [target]):
            errors[field.name] = [ValidationError(_("There is no object with this id."), "does_not_exist")]
    for name, ids in links.items():
        if missing := unknown(record._meta.get_field(name).related_model, ids):
            text = _("There is no object with this id: %(ids)s.")
            ids_text = ", ".join(sorted(map(str, missing)))
            errors[name] = [ValidationError(text, "does_not_exist", {"ids": ids_text})]
    try:
        record.clean_fields(exclude={field.name for field in references})
    except ValidationError as error:
        errors = error.update_error_dict(errors)
    if errors:
        raise ValidationError(errors)
    if isinstance(record, Category) and record.parent_id is not None and before.get("parent_id") != record.parent_id:
        # Two moves at the same moment could close a circle that neither of them sees.
        list(Category.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    record.clean()
    check_constraints(record, before)


def _pointing_at(record: models.Model) -> Iterable[Pointing]:
    names = {resource.model: resource.name for resource in registry.resources()}
    for relation in record._meta.related_objects:
        if relation.on_delete is models.PROTECT:
            model: Any = relation.related_model
            if count := model._base_manager.filter(**{relation.field.name: record}).count():
                yield Pointing(names[model], count)
