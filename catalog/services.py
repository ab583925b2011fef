"""What is done to the catalogue: the verbs behind the API, the upload pipeline and the commands.

Every verb runs in a transaction; callers from outside enter by ``transactions.run_in_transaction``. Values are keyed
by the names of the wire, with ids for relations. A wrong value raises Django's ``ValidationError`` with the errors by
field (``options.0.name`` for a field inside a list, ``__all__`` for what concerns several). Without ``ask`` a broken
constraint raises IntegrityError instead, which costs fewer statements when all is well (``writing``).
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404

from images.services import hold_image
from syncing.merging import one_version_each
from syncing.registry import Resource

from . import edits
from .edits import Author
from .models import Employee, Product
from .preconditions import Precondition
from .writing import ANYTHING, Operation, Outcome, Saved, Verb, write

Values = Mapping[str, Any]


def create(*, resource: Resource, values: Values, ask: bool = True) -> Saved:
    """A new object, under ``values["id"]`` if given. Raises IdTaken and ValidationError."""
    return _saved(resource, Operation(Verb.CREATE, values.get("id"), values), ask=ask)


def replace(
    *, resource: Resource, id: UUID, values: Values, precondition: Precondition = ANYTHING, ask: bool = True
) -> Saved:
    """The object ``id`` with exactly ``values``, the rest at its defaults; it is made when there is none.

    Raises PreconditionFailed and ValidationError.
    """
    return _saved(resource, Operation(Verb.REPLACE, id, values, precondition), ask=ask)


def change(
    *, resource: Resource, id: UUID, values: Values, precondition: Precondition = ANYTHING, ask: bool = True
) -> Saved:
    """The object ``id``, ``values`` changed. Raises Http404, PreconditionFailed and ValidationError."""
    return _saved(resource, Operation(Verb.UPDATE, id, values, precondition), ask=ask)


def remove(*, resource: Resource, id: UUID, precondition: Precondition = ANYTHING, ask: bool = True) -> None:
    """Delete the object ``id``. Raises Http404, PreconditionFailed and InUse."""
    _only(resource, Operation(Verb.DELETE, id, precondition=precondition), ask=ask)


@transaction.atomic(savepoint=False)
def batch(
    *, resource: Resource, operations: Sequence[Operation], whole: bool, is_lost: bool = False, ask: bool = True
) -> list[Outcome]:
    """What became of each of ``operations``. ``whole``: of which all are done, or none.

    ``is_lost``: none is done, whatever becomes of them, since others of the same batch can't even be read.
    """
    with one_version_each():
        outcomes = write(resource, operations, ask=ask)
    if is_lost or (whole and any(isinstance(one, Exception) for one in outcomes)):
        transaction.set_rollback(True)
    return outcomes


@transaction.atomic(savepoint=False)
def show_image(*, product_id: UUID, hash: str | None, author: Author | None = None) -> bool:
    """Let the product show the stored image ``hash``, or none; False: there is no such product. Raises HashUnknown.

    The product's history says that it was ``author``.
    """
    product = Product.objects.select_for_update(no_key=True).filter(pk=product_id).first()
    if product is None:
        return False
    if product.image_id != hash:
        if hash is not None:
            hold_image(hash=hash)
        if author is not None:
            edits.write(author, "product", [(product.pk, [["image", product.image_id, hash]])])
        product.image_id = hash
        product.save(update_fields=["image", "updated_at"])
    return True


def pin_is_right(*, employee_id: UUID, pin: str) -> bool:
    """Whether ``pin`` is that of this employee, who is active. A no takes as long as a yes. Raises Http404."""
    employee = Employee.objects.filter(pk=employee_id).first()
    if employee is None:
        raise Http404
    return employee.has_pin(pin) and employee.is_active


@transaction.atomic(savepoint=False)
def _only(resource: Resource, operation: Operation, *, ask: bool) -> Saved | None:
    (outcome,) = write(resource, [operation], ask=ask)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _saved(resource: Resource, operation: Operation, *, ask: bool) -> Saved:
    saved = _only(resource, operation, ask=ask)
    assert saved is not None, "only a deletion leaves nothing"
    return saved
