"""Problems outside of Django speak the language of who asks, too."""

import httpx

from tests.serving.conftest import NewServer


def test_what_is_refused_outside_django_speaks_it_too(new_server: NewServer) -> None:
    with new_server() as server:
        server.until_ready()
        headers = {"Accept-Language": "zh-CN"}
        stranger = httpx.get(f"{server.url}/api/sync/events", headers=headers).json()
        till = server.device("Till")
        unknown = till.get("/api/sync/events?resources=pizza", headers=headers).json()
        english = till.get("/api/sync/events?resources=pizza").json()

    assert (stranger["code"], stranger["detail"]) == ("not_authenticated", "请提供设备令牌或登录。")
    assert unknown["code"] == "unknown_resource"
    assert unknown["detail"].startswith("没有名为“pizza”的资源。")
    assert english["detail"].startswith("There is no resource “pizza”.")
