"""``python -m tests.studio.killed_process ITEM STEP``: works on an item, and is killed with SIGKILL after a step."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

STEPS = ("claim", "ask", "hold", "fetch", "look", "store", "finish")  # and "keep", where the storage is down


def killed_after(call: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any, **options: Any) -> Any:
        call(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    return run


def main(item_id: str, step: str) -> None:
    import django

    django.setup()
    from studio import pipeline, storing
    from studio.choice import by_name

    if step == "ask":
        kind: Any = type(by_name("openai"))
        kind.ask = killed_after(kind.ask)
    else:
        owner: Any = pipeline if step in ("claim", "hold") else storing
        name = {"fetch": "bytes_of"}.get(step, step)
        if step == "fetch" and "[url]" in _words(item_id):
            owner, name = pipeline, "fetch"
        setattr(owner, name, killed_after(getattr(owner, name)))
    pipeline.generate(item_id=UUID(item_id))


def _words(item_id: str) -> str:
    from studio.models import Item

    return Item.objects.get(pk=item_id).prompt


if __name__ == "__main__":
    main(*sys.argv[1:])
