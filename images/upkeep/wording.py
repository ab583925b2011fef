"""What a pass counts, in words: the log and the row have short names, the admin says them in the reader's language."""

from collections.abc import Mapping

from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

COUNTS = {
    "checked": _("checked"),
    "marked": _("shown by nothing any more"),
    "unmarked": _("shown again"),
    "swept": _("deleted"),
    "finished": _("deleted after an interruption"),
    "given_back": _("kept after an interruption"),
    "damaged": _("damaged"),
    "lost": _("without a file"),
    "still_damaged": _("still damaged"),
    "sound_again": _("sound again"),
    "copies_dropped": _("narrower copies deleted"),
    "quarantined": _("quarantined"),
    "expired": _("deleted from quarantine"),
    "drafts": _("unfinished files deleted"),
    "skipped": _("left as they are"),
    "refused": _("could not be moved"),
    "held_back": _("left alone: too many"),
}


def said(counts: Mapping[str, int]) -> str:
    """The counts that aren't 0, in the order of ``COUNTS``."""
    known = [*(name for name in COUNTS if name in counts), *(counts.keys() - COUNTS.keys())]
    return (
        "; ".join(f"{capfirst(str(COUNTS.get(name, name)))}: {counts[name]}" for name in known if counts[name]) or "–"
    )
