"""A day's work by the client that openapi-python-client made, ``made_client``: ``python day.py URL CODE PHOTO``.

It prints what it met, as JSON; test_made_clients.py says what that has to be. The environment is `.venv-clients`.
"""

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

PHOTO = Path(sys.argv[3])


def made(name: str) -> Any:
    return import_module(f"made_client.{name}")


def ask(operation: str, *words: Any, **about: Any) -> Any:
    return made(f"api.{operation}").sync_detailed(*words, **about)


def met(answer: Any) -> list[Any]:
    """The status, and the code of a problem that the client has read as one."""
    return [int(answer.status_code), answer.parsed.code if isinstance(answer.parsed, made("models").Problem) else None]


def day(url: str, code: str) -> dict[str, Any]:
    models, saw = made("models"), dict[str, Any]()
    with made("client").Client(base_url=url, timeout=30) as anybody:
        enrolment = models.EnrollRequest(code=code, name="Made of the schema")
        enrolled = ask("devices.devices_enroll", client=anybody, body=enrolment)
        saw["enrolled"] = met(enrolled)
        saw["enrolled again"] = met(ask("devices.devices_enroll", client=anybody, body=enrolment))

    with made("client").AuthenticatedClient(base_url=url, token=enrolled.parsed.token, timeout=30) as device:
        tag = models.TagRequest(name=f"Vegan {uuid4()}", id=uuid4())
        saw["tag"] = met(ask("catalogue.tags_create", client=device, body=tag))
        other = models.TagRequest(name=f"Other {uuid4()}", id=tag.id)
        saw["its id again"] = met(ask("catalogue.tags_create", client=device, body=other))

        snapshot = ask("sync.sync_snapshot", "tag", client=device).parsed
        saw["it is read"] = str(tag.id) in {item["id"] for item in snapshot.items}
        since = {"since": snapshot.version}
        saw["changes"] = met(ask("sync.sync_changes", "tag", client=device, epoch=snapshot.epoch, **since))
        saw["of another epoch"] = met(ask("sync.sync_changes", "tag", client=device, epoch=uuid4(), **since))

        data = PHOTO.read_bytes()
        album = ask("uploads.albums_create", client=device, body=models.AlbumRequest(name="Kitchen")).parsed
        about = models.DeclarationRequest("a.jpg", models.ContentTypeEnum("image/jpeg"), len(data))
        photo = ask("uploads.albums_photos_create", str(album.id), client=device, body=about).parsed
        sent = device.get_httpx_client().request(
            photo.upload.method, photo.upload.url, content=data, headers=photo.upload.headers.to_dict()
        )
        saw["sent"] = sent.status_code
        saw["process"] = met(ask("uploads.photos_process_create", str(photo.id), client=device))
        over = time.monotonic() + 60
        while photo.status != "ready" and time.monotonic() < over:
            time.sleep(0.1)
            photo = ask("uploads.photos_retrieve", str(photo.id), client=device).parsed
        saw["photo"] = str(photo.status)
    return saw


sys.stdout.write(json.dumps(day(*sys.argv[1:3])))
