"""Pictures for the chosen products that have none: a page with count, price and what is left, then one click."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog.admin.products import ProductAdmin
from catalog.models import Product
from studio import allowance, services
from studio.choice import choice
from studio.models import Item

MOST = 500
SHOWN = 20


@admin.action(description=gettext_lazy("Generate pictures …"), permissions=["generate"])
def generate_pictures(page: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
    """Ask once more, with what it comes to; then queue all of them. More than what is left is refused before."""
    without = list(queryset.filter(image=None).order_by("name")[: MOST + 1])
    made, user = choice(improving=False), request.user
    left = allowance.left(owner_id=user.pk or 0, now=timezone.now())
    limits = [] if made.provider.free else [number for number in (left.you, left.all) if number is not None]
    most = min([MOST, *limits])
    if not without:
        page.message_user(request, _("All chosen products have a picture."), messages.INFO)
        return None
    if "apply" in request.POST and len(without) <= most:
        ids = [product.pk for product in without]
        count = services.ask_for_each(owner=user, product_ids=ids, now=timezone.now())
        text = ngettext("%(count)d picture is on its way.", "%(count)d pictures are on their way.", count)
        page.message_user(request, text % {"count": count}, messages.SUCCESS)
        return None
    context = {
        **page.admin_site.each_context(request),
        "title": _("Generate pictures"),
        "opts": page.opts,
        "count": len(without),
        "products": without[:SHOWN],
        "more": max(0, len(without) - SHOWN),
        "most": most,
        "is_too_many": len(without) > most,
        "is_free": made.provider.free,
        "price": settings.STUDIO_PRICE,
        "provider": made.provider.name,
        "ids": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "across": "1" if request.POST.get("select_across") == "1" else "0",
    }
    return TemplateResponse(request, "studio/generate.html", context)


def link_of(product: Product) -> dict[str, Any]:
    """The way to the studio for this product, and where its picture comes from if that is known."""
    address = f"{reverse('studio')}?product={product.pk}"
    if not product.image_id:
        return {"studio_link": f"{address}#create", "studio_words": _("Generate picture")}
    made = Item.objects.filter(image_id=product.image_id, product=product).order_by("-created_at").first()
    origin = f"{made.get_kind_display()} ({made.provider}, {made.model})" if made else ""
    return {"studio_link": f"{address}#improve", "studio_words": _("Improve this photo"), "studio_origin": origin}


admin.site.unregister(Product)


@admin.register(Product)
class ProductWithStudioAdmin(ProductAdmin):
    """The page of products, which can have pictures made here."""

    actions = (*ProductAdmin.actions, generate_pictures)
    change_form_before_template = "studio/product.html"

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        product = self.get_object(request, object_id) if object_id else None
        more = link_of(product) if product and self.has_generate_permission(request) else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def has_generate_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request) and request.user.has_perm("studio.add_item")
