"""Problems outside of Django speak the language of who asks, too."""

import httpx
import pytest

from devices.services import enroll
from tests.syncing.conftest import web_process


@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
def test_what_is_refused_outside_django_speaks_it_too() -> None:
    till = {"Authorization": f"Bearer {enroll(name='Till').token}"}
    in_chinese = {"Accept-Language": "zh-CN"}
    with web_process() as (address, _process):
        stream = f"{address}/api/sync/events"
        stranger = httpx.get(stream, headers=in_chinese).json()
        unknown = httpx.get(f"{stream}?resources=pizza", headers=in_chinese | till).json()
        english = httpx.get(f"{stream}?resources=pizza", headers=till).json()

    assert (stranger["code"], stranger["detail"]) == ("not_authenticated", "请提供设备令牌或登录。")
    assert unknown["code"] == "unknown_resource"
    assert unknown["detail"].startswith("没有名为“pizza”的资源。")
    assert english["detail"].startswith("There is no resource “pizza”.")
