"""Whether a PIN is right: a terminal asks, since no PIN ever leaves the server."""

from django.http import Http404, HttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from catalog import services
from catalog.serializers import PinSerializer
from devices import throttle
from devices.authentication import MayRead
from refusals import Refusal

from .records import RecordViewSet

WRONG_PINS = throttle.Limit(wrong=5, seconds=5 * 60)  # by one caller, for one employee


class WrongPin(Refusal):
    status, code = 403, "wrong_pin"
    detail = _("This isn't the PIN of an active employee.")


class PinViewSet(RecordViewSet):
    permission_classes = (MayRead,)
    serializer_class = PinSerializer

    def verify_pin(self, request: Request, id: str) -> HttpResponse:
        """Whether this is the employee's PIN; tries are limited for each caller and employee."""
        employee_id = self.object_id()
        if not self.get_queryset().filter(pk=employee_id).exists():
            raise Http404
        pin = self.values()["pin"]
        key = f"pin:{type(request.user).__name__}:{request.user.pk}:{employee_id}"
        throttle.check(key=key, limit=WRONG_PINS)
        right = services.pin_is_right(employee_id=employee_id, pin=pin)  # slow on purpose, and so in no transaction
        if not throttle.attempt(lambda: right or None, key=key, limit=WRONG_PINS):
            raise WrongPin
        throttle.forgive(key=key)
        return HttpResponse(status=204)
