"""Writes down what the database committed, for the validators of tests/syncing/histories.py."""

from collections.abc import Sequence

from syncing import log
from syncing.models import Change
from tests.syncing.histories import Truth
from tests.syncing.objects import held_objects


class Recorder:
    """The truth about ``names``. Whoever commits calls ``note`` before anything else commits."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.truth = Truth()
        self.note()

    def note(self) -> log.Heads:
        """Adds what was committed since the last call, and returns where everything stands."""
        heads = log.heads()
        epoch, versions = str(heads.epoch), {name: heads.versions[name] for name in self.names}
        known = self.truth.heads.setdefault(epoch, [])
        before = known[-1] if known else dict.fromkeys(self.names, -1)
        if before == versions:
            return heads
        known.append(versions)
        for name, version in versions.items():
            if before[name] == version:
                continue
            self.truth.objects[epoch, name, version] = held_objects(name)
            if not known[:-1]:
                continue  # what came before this history nobody is told
            changes = Change.objects.filter(resource=name, version__gt=before[name]).order_by("version")
            for at, action, object_id in changes.values_list("version", "action", "object_id"):
                self.truth.log[epoch, name, at] = (action, str(object_id))
        return heads
