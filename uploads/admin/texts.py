"""What the pages say about photos, in the manager's language."""

from django.utils.translation import gettext_lazy as _

# A worker's ``error_detail`` is English; the usual reasons are shown in the manager's language.
REASONS = {
    "too_large": _("The file has more than 25 MB."),
    "too_many_pixels": _("The picture has more than 64 megapixels, or more than 108 as JPEG or HEIC."),
    "unsupported_image": _("The file is none of JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF and HEIC."),
    "broken_image": _("The file begins like a picture, but can't be decoded."),
    "size_mismatch": _("The stored original has another size than declared."),
    "checksum_mismatch": _("The stored original has another SHA-256 than declared."),
    "storage_unavailable": _("The storage didn't answer."),
    "storage_unsuitable": _("The storage can't do what is needed."),
    "storage_mistaken": _("The storage belongs to another database."),
    "sender_revoked": _("The device or login that sent the photo has no access any more."),
    "storage_full": _("The disk is full; the photo waits until there is room."),
}
# For the script of the page that sends photos; %(…)s is filled in there.
SENDING = {
    "waiting": _("Ready to send"),
    "queued": _("Waiting for its turn…"),
    "sending": _("Sending…"),
    "processing": _("Being processed…"),
    "again": _("Will be tried again by itself…"),
    "ready": _("Ready"),
    "cleaning": _("Cleaning up…"),
    "lost": _("The connection was lost. Nothing of this photo is left behind; try again."),
    "unclean": _("The connection was lost. The server cleans up by itself; try again."),
    "gone": _("The photo didn't arrive. Try again."),
    "processing_failed": _("Something went wrong on the server. Try again."),
    "worker_lost": _("The server was interrupted at this photo. Try again."),
    "refused": _("The server refused this photo: %(reason)s"),
    "not_a_picture": _(
        "This is no picture that we can read. Choose a JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF file."
    ),
    "over_limit": _("This file is over 25 MB. Choose a smaller one."),
    "empty": _("This file is empty."),
    "twice": _("This file is in the list already."),
    "same_product": _("Another photo is for this product too; it will show the one that is ready last."),
    "no_product": _("No product"),
    "by_sku": _("by SKU"),
    "by_barcode": _("by barcode"),
    "by_name": _("by name"),
    "nothing_found": _("Nothing found"),
    "chosen": _("Photos: %(all)s, with a product: %(matched)s"),
    "progress": _("%(done)s of %(all)s ready"),
    "retries": _("%(count)s of %(all)s need another try"),
    "unusable": _("%(done)s of %(all)s ready, %(count)s can't be used"),
    "done": _("All photos are ready: %(all)s"),
    "send": _("Upload photos: %(count)s"),
    "logged_out": _("You are logged out. Log in again in another tab, then upload here: the list stays."),
    "unreachable": _("The server doesn't answer. Nothing was sent; try again."),
    "offline": _("The server doesn't answer. Trying again…"),
    "no_match": _("The products could not be looked up. Choose them by hand, or drop the photos again."),
}
