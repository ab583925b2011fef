"""How views of the API ask who their caller is, and what it may do."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from refusals import Refusal

from .identity import DeviceCaller, identify_device, identify_staff, never_called
from .rights import may_see, permission

if TYPE_CHECKING:  # rest_framework.views imports this module, by the settings
    from rest_framework.views import APIView


class CsrfFailed(Refusal):
    status, code = 403, "csrf_failed"
    detail = _("A write that is authenticated by a cookie needs the X-CSRFToken header.")


def refuse_forgery(request: HttpRequest) -> None:
    """Raises CsrfFailed when a page of another site may have sent this write. For callers whom a cookie let in."""
    check = CSRFCheck(never_called)
    check.process_request(request)
    if check.process_view(request, never_called, (), {}):
        raise CsrfFailed


class DeviceAuthentication(BaseAuthentication):
    """``request.user`` is a DeviceCaller: by bearer token, client certificate, or a browser's device cookie.

    CSRF applies to the cookie, and to a certificate that a browser shows, which it does for pages of any site.
    """

    def authenticate(self, request: Request) -> tuple[DeviceCaller, None] | None:
        caller = identify_device(request._request)
        if caller is None:
            return None
        # Only browsers say where a request comes from. They always do when a page of another site asks.
        by_browser = bool({"HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE"} & request._request.META.keys())
        if caller.presented == "cookie" or (caller.presented == "certificate" and by_browser):
            refuse_forgery(request._request)
        return caller, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class StaffAuthentication(BaseAuthentication):
    """``request.user`` is the staff user of the Django session (CSRF applies)."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, None] | None:
        if identify_staff(request._request) is None:
            return None
        refuse_forgery(request._request)
        return request._request.user, None  # type: ignore[return-value]  # identify_staff saw that it is a user

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class MayRead(BasePermission):
    """Every device and all staff: for what is no record."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        user: Any = request.user
        return isinstance(user, DeviceCaller) or bool(user and user.is_staff)


class MayLook(MayRead):
    """Every device, and staff who may look at the records of the view: the ``model`` that it names, or its queryset's.

    Staff need the model permissions that the admin asks for, here and in the classes below.
    """

    message = _("This login may not look at that.")

    def has_permission(self, request: Request, view: "APIView") -> bool:
        user: Any = request.user
        return super().has_permission(request, view) and (
            isinstance(user, DeviceCaller) or may_see(user, self.model_of(view))
        )

    def model_of(self, view: Any) -> type[Model]:
        model: type[Model] = view.model if hasattr(view, "model") else view.queryset.model
        return model


class MayUpload(BasePermission):
    """Devices of scope ``upload``, and staff with one of the permissions that the view's ``rights`` name.

    ``rights`` are by method. A view that names none takes superusers only.
    """

    message = _("Sending pictures needs the scope 'upload', or a login that is permitted to.")

    def has_permission(self, request: Request, view: "APIView") -> bool:
        user: Any = request.user
        if isinstance(user, DeviceCaller):
            return "upload" in user.scopes
        if not (user and user.is_staff):
            return False
        rights: dict[str, tuple[str, ...]] = getattr(view, "rights", {})
        if request.method == "OPTIONS":
            return True
        method = (request.method or "").replace("HEAD", "GET")
        return bool(user.is_superuser or any(map(user.has_perm, rights.get(method, ()))))


class MayWriteCatalogue(MayLook):
    """Reading: as MayLook. Writing: devices of scope ``manage``, and staff with the model permission for it.

    The view has a ``queryset``. A PUT is a change when its object exists and an addition when it doesn't.
    """

    message = _("Writing the catalogue needs the scope 'manage', or a login that is permitted to.")
    verbs: ClassVar[dict[str, str]] = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method in SAFE_METHODS:
            self.message = MayLook.message
            return super().has_permission(request, view)
        if not MayRead.has_permission(self, request, view):
            return False
        verb = self.verbs.get(request.method or "")
        if verb is None:
            return True  # the view answers 405
        user: Any = request.user
        if request.method == "PUT" and not isinstance(user, DeviceCaller) and not self.exists(view):
            verb = "add"
        return self.may(request, view, verb)

    def may(self, request: Request, view: "APIView", verb: str) -> bool:
        """Whether the caller may add, change or delete records of the view."""
        user: Any = request.user
        if isinstance(user, DeviceCaller):
            return "manage" in user.scopes
        return bool(user.has_perm(permission(verb, self.model_of(view))))

    def exists(self, view: "APIView") -> bool:
        """Whether the object of the address is there. A malformed id passes as one, so that the view answers 404."""
        lookup = getattr(view, "lookup_url_kwarg", None) or getattr(view, "lookup_field", "pk")
        try:
            return bool(view.queryset.filter(pk=view.kwargs.get(lookup)).exists())  # type: ignore[attr-defined]
        except (ValueError, ValidationError):
            return True


class MayWriteSome(MayWriteCatalogue):
    """Who may add, change or delete; the view asks ``may`` for each record."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return MayRead.has_permission(self, request, view) and any(
            self.may(request, view, verb) for verb in ("add", "change", "delete")
        )


class IsDevice(BasePermission):
    """Devices only. For questions of a device about itself."""

    message = _("Only a device can ask this.")

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, DeviceCaller)
