"""Whatever is killed while a photo is on its way, the photo arrives."""

import random
import time

import pytest

from tests.main_job.photograph import photograph
from tests.main_job.sending import finished, products, upload
from tests.parts import wait_until
from tests.running import RunningServer

ROUNDS = 10
ARRIVAL_SECONDS = 180  # the lease of a worker that was killed (60 s), a scan, and a busy machine


@pytest.mark.soak
def test_a_photo_arrives_though_a_process_is_killed_at_any_moment(server: RunningServer) -> None:
    chance = random.Random(20)  # noqa: S311 -- a schedule, no secret
    kitchen = server.device("Kitchen", "--upload")
    product_id = min(products(kitchen))

    for number in range(ROUNDS):
        photo_id = upload(kitchen, photograph() + bytes([number]), product=product_id)
        assert kitchen.post(f"/api/photos/{photo_id}/process").status_code == 202
        time.sleep(chance.uniform(0, 1.5))  # the moment of the fault is drawn, not waited for
        heads = server.heads()
        killed = chance.choice(heads)
        killed.kill()
        if killed in heads[:2]:  # guard and supervisor; a member is started again
            wait_until(lambda: server.process.poll() is not None and not server.alive(), what="the end of all members")
            server.start()
        server.until_ready()

        photo = finished(kitchen, photo_id, seconds=ARRIVAL_SECONDS)
        assert photo["status"] == "ready", server.said
        assert products(kitchen)[product_id]["image"] == photo["hash"]
