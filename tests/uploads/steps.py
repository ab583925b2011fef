"""The steps of schedules of uploads, and how they are drawn: methods of `Uploads` in test_every_schedule.py."""

from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from random import Random

from PIL import Image as Picture

from normalform import normalize
from tests.schedules import Steps

MOST_PHOTOS = 5


def jpeg(color: str) -> bytes:
    """A tiny picture in normal form, so that its image has its own hash."""
    file = BytesIO()
    Picture.new("RGB", (8, 8), color).save(file, "JPEG")
    return normalize(file.getvalue(), quality=85).data


PICTURES = [jpeg("#c0392b"), jpeg("#2980b9")]
HASHES = {sha256(data).hexdigest() for data in PICTURES}
NO_PICTURE = b"<svg/>"

MEANWHILE = ("death", "a stop", "failure", "lost answer", "a worker", "a pass", "a deletion", "an expired lease")
SPANS = [timedelta(seconds=s) for s in (1, 6, 30, 61, 180, 901, 1300, 86_500)]

Plan = dict[int, str]  # which of the requests to the storage is interrupted, and by what


def a_plan(random: Random) -> Plan:
    """For one or two of the first requests, or none; few acts make more than one."""
    return {random.choice((0, 0, 0, 1, 1, 2, 3)): random.choice(MEANWHILE) for _ in range(random.choice((0, 1, 1, 2)))}


def a_declaration(random: Random) -> tuple[bytes, bool, bool]:
    """What is sent, whether its hash is declared, and whether it is for the product."""
    return random.choice([*PICTURES, NO_PICTURE]), random.random() < 0.5, random.random() < 0.5


def a_photo(random: Random) -> int:
    return random.randrange(MOST_PHOTOS)


def nothing(random: Random) -> None:
    """What a step takes that takes nothing."""


def seldom(random: Random) -> bool:
    return random.random() < 0.4


# A step, what it takes, and how often it comes, relative to the others.
STEPS: Steps = {
    "register": (a_declaration, 1),
    "upload": (lambda random: (a_declaration(random), a_plan(random)), 4),
    "put": (a_photo, 2),
    "process": (lambda random: (a_photo(random), a_plan(random)), 3),
    "deliver": (lambda random: (random.randrange(6), random.random() < 0.3, a_plan(random)), 8),
    "the_broker_loses_all": (nothing, 1),
    "delete": (lambda random: (a_photo(random), a_plan(random)), 1),
    "one_pass": (a_plan, 3),
    "a_pass_of_the_album": (a_plan, 3),
    "tidy": (a_plan, 1),
    "time_passes": (lambda random: random.choice(SPANS), 4),
    "the_storage_goes_or_comes": (seldom, 2),
    "the_broker_goes_or_comes": (seldom, 4),
}
