"""What is done to the catalogue: the verbs behind the API, the upload pipeline and the commands.

Every verb runs in a transaction; callers from outside enter by ``transactions.run_in_transaction``. Values are keyed
by the names of the wire, with ids for relations. A wrong value raises Django's ``ValidationError`` with the errors by
field (``options.0.name`` for a field inside a list, ``__all__`` for what concerns several).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from images.services import hold_image
from refusals import Refusal
from syncing import objects, registry
from syncing.objects import Object
from syncing.registry import Resource

from .models import Employee, Product
from .models.base import Record
from .preconditions import Precondition
from .writing import write

Values = Mapping[str, Any]
ANYTHING = Precondition()


class IdTaken(Refusal):
    status, code = 409, "conflict"
    detail = _("There is an object with this id already.")


class InUse(Refusal):
    status, code = 409, "in_use"
    detail = _("Other objects can't be without this one; by says which.")


@dataclass(frozen=True)
class Saved:
    """An object as it is now on the wire, and whether it is new."""

    object: Object
    created: bool


@transaction.atomic
def create(*, resource: Resource, values: Values) -> Saved:
    """A new object, under ``values["id"]`` if given. Raises IdTaken and ValidationError."""
    record: Any = resource.model(**({"id": values["id"]} if "id" in values else {}))
    if _exists(resource, record.pk):
        raise IdTaken
    write(resource, record, values)
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
        # Another writer has made it since. What was wrong (the name is taken, say) may be that very object.
        return replace(resource=resource, id=id, values=values, precondition=precondition)
    write(resource, record, {**_defaults(resource), **values})
    return Saved(_read(resource, record), created=False)


@transaction.atomic
def change(*, resource: Resource, id: UUID, values: Values, precondition: Precondition = ANYTHING) -> Saved:
    """The object ``id``, ``values`` changed. Raises Http404, PreconditionFailed and ValidationError."""
    record = _locked(resource, id)
    if record is None:
        raise Http404
    _demand(precondition, resource, record)
    write(resource, record, values)
    return Saved(_read(resource, record), created=False)


@transaction.atomic
def remove(*, resource: Resource, id: UUID, precondition: Precondition = ANYTHING) -> None:
    """Delete the object ``id``. Raises Http404, PreconditionFailed and InUse."""
    record = _locked(resource, id)
    if record is None:
        raise Http404
    _demand(precondition, resource, record)
    if by := list(_pointing_at(record)):
        raise InUse(by=by)
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
    """Whether ``pin`` is that of this employee, who is active. A no takes as long as a yes. Raises Http404."""
    employee = Employee.objects.filter(pk=employee_id).first()
    if employee is None:
        raise Http404
    return employee.has_pin(pin) and employee.is_active


def _exists(resource: Resource, id: UUID) -> bool:
    return resource.model._base_manager.filter(pk=id).exists()


def _locked(resource: Resource, id: UUID) -> Record | None:
    return resource.model._base_manager.select_for_update().filter(pk=id).first()  # type: ignore[return-value]


def _read(resource: Resource, record: models.Model) -> Object:
    return objects.read(resource, [record.pk])[0]


def _demand(precondition: Precondition, resource: Resource, record: Record | None) -> None:
    """Raises PreconditionFailed. Most writes demand nothing, and then the object isn't read."""
    if precondition != ANYTHING:
        precondition.check(_read(resource, record).json if record else None)


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


def _pointing_at(record: models.Model) -> Iterable[dict[str, Any]]:
    """How many objects of which resource can't be without ``record``: themselves, or a row that travels inside them."""
    owners = {resource.model: (resource.name, "pk") for resource in registry.resources()}
    for resource in registry.resources():
        owners |= {child.model: (resource.name, child.owner) for child in resource.children}
    for relation in record._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ForeignObjectRel) and relation.on_delete is models.PROTECT:
            model: Any = relation.related_model
            name, owner = owners[model]
            count = model._base_manager.filter(**{relation.field.name: record}).values(owner).distinct().count()
            if count:
                yield {"resource": name, "count": count}
