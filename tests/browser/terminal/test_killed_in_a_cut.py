"""A page that is killed while changes of one transaction arrive has all of them, or none."""

import threading
import time

from tests.browser.terminal.conftest import House, OpenTerminal, Watch, until_connection
from tests.browser.terminal.looking import BROKEN_NETWORK, crash, rows, until, until_shown
from tests.posclient.proxy import Proxy

TOGETHER = 60
ROUNDS = 2
CHANGE_ALL = """
from django.db import transaction
from catalog.models import Product
with transaction.atomic():
    for product in Product.objects.filter(name__startswith="Together {round} "):
        product.description = "after " + "x" * 5000
        product.save()
"""


def test_a_page_that_is_killed_in_the_middle_of_a_cut_is_whole(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch
) -> None:
    watch.allow(BROKEN_NETWORK, "chrome://crash")
    page = open_terminal()
    until(page, "() => navigator.serviceWorker.ready.then((worker) => Boolean(worker.active))")
    for round in range(ROUNDS):
        ids = [house.product(name=f"Together {round} {n}", description="before")["id"] for n in range(TOGETHER)]
        until_shown(page, ids[-1], description="before")
        writing = threading.Thread(target=house.server.manage, args=("shell", "-c", CHANGE_ALL.format(round=round)))
        writing.start()
        while writing.is_alive() and house.snapshot("product")[ids[0]]["description"] == "before":
            time.sleep(0.02)
        crash(page)  # while 300 kB of frames come
        proxy.cut_network()
        writing.join()

        page = page.context.new_page()
        page.goto(f"{proxy.url}/terminal/")
        until_shown(page, ids[0])
        held = {row["description"][:6] for id, row in rows(page).items() if id in ids}
        assert len(held) == 1, held

        proxy.restore_network()
        until_connection(page)
        until_shown(page, ids[-1], description="after " + "x" * 5000)
        assert rows(page) == house.snapshot("product")
