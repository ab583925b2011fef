"""How the refusals of the catalogue look over HTTP."""

from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.exceptions import APIException, ErrorDetail

from catalog.door import Contended
from catalog.filters import BadParameter
from catalog.pages import CursorInvalid
from catalog.preconditions import PreconditionFailed
from catalog.services import IdTaken, InUse, NoSuchRecord


class InvalidParameter(APIException):
    status_code, default_code = 400, "invalid_parameter"
    default_detail = _("A query parameter has a wrong value; errors names it.")

    def __init__(self, name: str, detail: Any) -> None:
        super().__init__()
        self.extra = {"errors": [{"field": name, "code": "invalid", "detail": str(detail)}]}


class InUseProblem(APIException):
    status_code, default_code = 409, "in_use"
    default_detail = _("Other objects can't be without this one; by says which.")

    def __init__(self, cause: InUse) -> None:
        super().__init__()
        self.extra = {"by": [{"resource": one.resource, "count": one.count} for one in cause.by]}


class Conflict(APIException):
    status_code, default_code = 409, "conflict"
    default_detail = _("There is an object with this id already.")


class ConflictingWrite(Conflict):
    default_detail = _("This contradicts what is stored, or what somebody else wrote at the same moment.")


class Mismatch(APIException):
    status_code, default_code = 412, "precondition_failed"
    default_detail = _("The object isn't the one that you know; read it again.")


class WrongPin(APIException):
    status_code, default_code = 403, "wrong_pin"
    default_detail = _("This isn't the PIN of an active employee.")


def problem_of(cause: Exception) -> Exception:
    """The problem that tells a client of ``cause``; ``cause`` itself when it isn't one of ours."""
    match cause:
        case ValidationError():
            return exceptions.ValidationError(_details(cause))
        case BadParameter():
            return InvalidParameter(cause.name, cause.detail)
        case CursorInvalid():
            return InvalidParameter("cursor", _("Not a cursor of this list and order; begin without one."))
        case NoSuchRecord():
            return exceptions.NotFound()
        case IdTaken():
            return Conflict()
        case InUse():
            return InUseProblem(cause)
        case PreconditionFailed():
            return Mismatch()
        case Contended():
            return ConflictingWrite()
    return cause


def _details(cause: ValidationError) -> dict[str, list[ErrorDetail]]:
    found = cause.error_dict if hasattr(cause, "error_dict") else {NON_FIELD_ERRORS: cause.error_list}
    return {
        "non_field_errors" if name == NON_FIELD_ERRORS else name: [
            ErrorDetail(message, code=error.code or "invalid") for error in errors for message in error.messages
        ]
        for name, errors in found.items()
    }
