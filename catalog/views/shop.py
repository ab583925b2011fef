"""What a terminal knows of the shop beside the catalogue: its name, the zone of its clock, its money."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.serializers import ShopSerializer


class ShopView(APIView):
    @extend_schema(
        operation_id="shop",
        summary="The shop's name, time zone and currency",
        description="A price rule counts by the clock of this time zone.",
        responses=ShopSerializer,
    )
    def get(self, request: Request) -> Response:
        shop = {"name": settings.SHOP_NAME, "time_zone": settings.TIME_ZONE, "currency": settings.CURRENCY}
        return Response(ShopSerializer(shop).data, headers={"Cache-Control": "private, no-cache"})
