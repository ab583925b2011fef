"""What happens when two people change the same at the same moment."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from adminpages import NO_KEY
from catalog.transactions import Contended, run_in_transaction

Page = Callable[..., HttpResponse]


def in_a_transaction(page: Page) -> Page:
    """A page whose POST is one transaction, tried once more when another writer was in the way.

    A form is checked and then saved, and another writer may break a constraint in between. The second try finds that
    in its check, and the manager reads the form's own words.
    """

    @wraps(page)
    def guarded(admin: ModelAdmin, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return page(admin, request, *args, **kwargs)
        try:
            return run_in_transaction(partial(page, admin, request, *args, **kwargs))
        except Contended:
            reason = in_the_way()
        except ValidationError:
            reason = str(NO_KEY)
        messages.error(request, reason)
        return HttpResponseRedirect(request.get_full_path())

    return guarded


def in_the_way() -> str:
    """What a manager reads when another writer was in the way twice: it says what to do, as an API needn't."""
    return _("Nothing was saved: somebody else is changing the same. Try again.")
