"""``GET /api/shop``: what a terminal shows of the shop, and by whose clock its prices change."""

import pytest
from babel import Locale
from babel.numbers import get_territory_currencies, list_currencies
from django.conf import LazySettings
from django.test import Client

from config.values import CURRENCIES
from devices.services import enroll

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def test_a_device_reads_the_shop(client: Client, settings: LazySettings) -> None:
    settings.SHOP_NAME, settings.TIME_ZONE, settings.CURRENCY = "Café Olé", "Europe/Madrid", "USD"
    token = enroll(name="Till 1").token

    response = client.get("/api/shop", headers={"Authorization": f"Bearer {token}"})

    assert response.json() == {"name": "Café Olé", "time_zone": "Europe/Madrid", "currency": "USD"}
    assert response["Cache-Control"] == "private, no-cache"


def test_staff_read_the_shop(admin_client: Client) -> None:
    assert admin_client.get("/api/shop").json() == {"name": "", "time_zone": "UTC", "currency": "EUR"}


def test_nobody_else_reads_the_shop(client: Client) -> None:
    response = client.get("/api/shop")

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_every_currency_of_today_is_taken() -> None:
    territories = [code for code in map(str, Locale("en").territories) if len(code) == 2]
    today = {currency for code in territories for currency in get_territory_currencies(code)}

    assert today - CURRENCIES == set()
    assert list_currencies("en") >= CURRENCIES
