"""Whether a PIN is right: a terminal asks, since no PIN ever leaves the server."""

from django.http import Http404, HttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from catalog import services
from catalog.serializers import PinSerializer
from devices import throttle, trail
from devices.authentication import MayLook
from devices.events import Event
from refusals import Refusal

from .records import RecordViewSet

WRONG_PINS = throttle.Limit(wrong=5, seconds=5 * 60)  # by one caller, for one employee
WRONG_PINS_OF_A_CALLER = throttle.Limit(wrong=20, seconds=15 * 60)  # for all employees together
# By all callers together. Who knows the PIN goes on waiting with the others: to forgive would tell a thief when to try.
WRONG_PINS_FOR_AN_EMPLOYEE = throttle.Pauses(free=10, first=30, most=15 * 60)


class WrongPin(Refusal):
    status, code = 403, "wrong_pin"
    detail = _("This isn't the PIN of an active employee.")


class PinViewSet(RecordViewSet):
    permission_classes = (MayLook,)
    serializer_class = PinSerializer

    def verify_pin(self, request: Request, id: str) -> HttpResponse:
        """Whether this is the employee's PIN; tries are limited for each caller, each employee, and both."""
        employee_id = self.object_id()
        if not self.get_queryset().filter(pk=employee_id).exists():
            raise Http404
        pin = self.values()["pin"]
        caller = f"pin:{type(request.user).__name__}:{request.user.pk}"
        key = f"{caller}:{employee_id}"
        beside: throttle.Limits = {caller: WRONG_PINS_OF_A_CALLER, f"pin-of:{employee_id}": WRONG_PINS_FOR_AN_EMPLOYEE}
        try:
            throttle.check(key=key, limit=WRONG_PINS, beside=beside)
        except throttle.Throttled:
            trail.tell(Event.PIN_THROTTLED, employee=employee_id)
            raise
        right = services.pin_is_right(employee_id=employee_id, pin=pin)  # slow on purpose, and so in no transaction
        if not throttle.attempt(lambda: right or None, key=key, limit=WRONG_PINS, beside=beside):
            trail.tell(Event.PIN_FAILED, employee=employee_id)
            raise WrongPin
        throttle.forgive(key=key)
        return HttpResponse(status=204)
