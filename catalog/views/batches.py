"""Many writes of one kind by one request."""

from functools import partial
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from catalog import services
from catalog.preconditions import etag
from catalog.serializers.batches import BatchSerializer, Mode, operations_of
from catalog.serializers.shape import values_of
from catalog.writing import Operation, Outcome, Saved, Verb
from devices.authentication import MayWriteSome
from refusals import Refusal

from .records import UNCACHED, RecordViewSet

NEEDED = {
    Verb.CREATE: ("add",),
    Verb.REPLACE: ("add", "change"),  # which of both is known only when it is done
    Verb.UPDATE: ("change",),
    Verb.DELETE: ("delete",),
}


class BatchRefused(Refusal):
    """``results`` has a problem for each operation."""

    status, code = 409, "batch_refused"
    detail = _("Nothing was done, since some operations can't be; results says which.")


class NotDone(Refusal):
    status, code = 424, "not_done"
    detail = _("This would have been done, but another operation of the batch can't be.")


class BatchViewSet(RecordViewSet):
    permission_classes = (MayWriteSome,)

    def batch(self, request: Request) -> HttpResponse:
        asked = values_of(BatchSerializer, request.data)
        whole = asked["mode"] == Mode.ALL
        found = [self.permitted(one) for one in operations_of(self.kind.shape, asked["operations"])]
        outcomes: dict[int, Any] = dict(enumerate(found))
        good = {place: one for place, one in outcomes.items() if isinstance(one, Operation)}
        is_lost = whole and len(good) < len(found)  # then the others are told what would be wrong with them
        write = partial(services.batch, operations=list(good.values()), whole=whole, is_lost=is_lost)
        outcomes |= zip(good, self.written(write), strict=True)
        if whole and any(isinstance(one, Exception) for one in outcomes.values()):
            problems = (one if isinstance(one, Exception) else NotDone() for one in outcomes.values())
            raise BatchRefused(results=list(map(self.result, problems)))
        self.note(one for one in outcomes.values() if isinstance(one, Saved))
        body = orjson.dumps({"results": list(map(self.result, outcomes.values()))})
        return HttpResponse(body, content_type="application/json", headers=UNCACHED)

    def permitted(self, asked: Operation | ValidationError) -> Operation | Exception:
        """What is asked, or PermissionDenied unless the caller may do that."""
        if isinstance(asked, ValidationError):
            return asked
        may = partial(MayWriteSome().may, self.request, self)
        return asked if all(map(may, NEEDED[asked.verb])) else PermissionDenied()

    def result(self, outcome: Outcome | Exception) -> dict[str, Any]:
        if outcome is None:
            return {"status": 204}
        if isinstance(outcome, Saved):
            body = outcome.object.json
            return {"status": 201 if outcome.created else 200, "etag": etag(body), "object": orjson.Fragment(body)}
        problem = self.get_exception_handler()(outcome, self.get_exception_handler_context())
        return {"status": problem.status_code, "problem": orjson.Fragment(problem.content)}
