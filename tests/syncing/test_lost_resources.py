"""A batch of which one resource can't be continued: what a stream gets of it, and where the checkpoint is."""

import json
from uuid import uuid4

from syncing.frames import Encoded
from syncing.log import Batch, Entry, Heads, Reason

HEADS = Heads(uuid4(), {"table": 7, "zone": 5}, {"table": 0, "zone": 5})
TABLE = Entry("table", 7, "created", str(uuid4()), b'{"name":"T1"}')


def frames(since: dict[str, int], reason: Reason = Reason.HORIZON) -> tuple[list[tuple[str, object]], dict[str, int]]:
    """Event and ``cut``, or event and what is to be refetched, of each frame; and where the stream stands then."""
    batch = Batch(HEADS, {"table": 7, "zone": 5}, [TABLE], {"zone": reason})
    data, to = Encoded.of(batch).frames(since, {})
    found: list[tuple[str, object]] = []
    for text in data.decode().split("\n\n")[:-1]:
        lines = dict(line.split(": ", 1) for line in text.split("\n"))
        fields = json.loads(lines["data"])
        found.append((lines["event"], fields.get("cut", fields.get("resources"))))
    return found, to


def test_what_is_to_be_refetched_is_named_before_the_checkpoint_that_counts_on_it() -> None:
    """Else a table is shown at a checkpoint without the zone that its transaction made and a prune has forgotten."""
    assert frames({"table": 6, "zone": 3}) == ([("resync", ["zone"]), ("sync", True)], {"table": 7, "zone": 5})


def test_a_stream_that_read_on_by_itself_is_not_sent_back() -> None:
    assert frames({"table": 6, "zone": 9}) == ([("sync", True)], {"table": 7, "zone": 9})


def test_a_stream_without_the_resource_hears_nothing_of_it() -> None:
    assert frames({"table": 6}) == ([("sync", True)], {"table": 7})


def test_a_stream_ahead_of_the_head_is_sent_back() -> None:
    assert frames({"table": 7, "zone": 9}, Reason.AHEAD) == ([("resync", ["zone"])], {"table": 7, "zone": 5})
