"""The options of an attribute, which are given and kept as one list."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .models import Attribute, AttributeOption
from .validation import Errors

WIRE_FIELDS = ("name", "price_change", "is_default", "is_sold_out", "position")


def set_options(attribute: Attribute, given: Sequence[Mapping[str, Any]]) -> bool:
    """Let ``given`` be the options of ``attribute``: known ids stay themselves, others are made, missing ones go.

    Returns whether anything changed. Raises ValidationError; needs a transaction.
    """
    present = {option.pk: option for option in attribute.options.all()}
    wanted = [
        # Without a position an option stands where the list has it.
        _option(attribute, present, {"position": place, **values})
        for place, values in enumerate(given)
    ]
    _check(attribute, wanted)
    keep = {option.pk for option in wanted}
    changed = [
        option for option in wanted if option.pk not in present or _columns(option) != _columns(present[option.pk])
    ]
    gone = present.keys() - keep
    if gone:
        attribute.options.filter(pk__in=gone).delete()
    _step_aside(changed, present)
    for option in changed:
        option.save()
    return bool(gone or changed)


def _option(
    attribute: Attribute, present: Mapping[UUID, AttributeOption], values: Mapping[str, Any]
) -> AttributeOption:
    option = AttributeOption(pk=values.get("id") or uuid4(), attribute=attribute)
    option._state.adding = option.pk not in present
    for name in WIRE_FIELDS:
        if name in values:
            setattr(option, name, values[name])
    return option


def _columns(option: AttributeOption) -> tuple[Any, ...]:
    return tuple(getattr(option, name) for name in WIRE_FIELDS)


def _check(attribute: Attribute, wanted: Sequence[AttributeOption]) -> None:
    errors: Errors = {}
    ids: set[UUID] = set()
    names: set[str] = set()
    elsewhere = set(
        AttributeOption.objects.filter(pk__in=[option.pk for option in wanted])
        .exclude(attribute=attribute)
        .values_list("pk", flat=True)
    )
    for index, option in enumerate(wanted):
        path = f"options.{index}"
        if option.pk in elsewhere:
            errors[f"{path}.id"] = [ValidationError(_("This is an option of another attribute."), "unique")]
        elif option.pk in ids:
            errors[f"{path}.id"] = [ValidationError(_("An option is given twice."), "unique")]
        if option.name.lower() in names:
            text = _("The attribute has an option of this name already.")
            errors[f"{path}.name"] = [ValidationError(text, "unique")]
        try:
            option.clean_fields(exclude={"attribute"})
        except ValidationError as error:
            errors |= {f"{path}.{name}": list(found) for name, found in error.error_dict.items()}
        ids.add(option.pk)
        names.add(option.name.lower())
    if errors:
        raise ValidationError(errors)


def _step_aside(changed: Sequence[AttributeOption], present: Mapping[UUID, AttributeOption]) -> None:
    """Free the names that options hand to each other: no two may be equal, not even for a moment."""
    taken = {option.name.lower() for option in changed}
    for option in changed:
        before = present.get(option.pk)
        if before and before.name.lower() in taken and before.name.lower() != option.name.lower():
            AttributeOption.objects.filter(pk=option.pk).update(name=str(option.pk))
