"""What a bucket must be able to do with one object: its bytes, conditions, checksums."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from images.blobs.bucket import IMMUTABLE, in_base64

from .trying import DATA, DIGEST, OTHER, Cannot, Trial, expect, must


# --- Bytes ------------------------------------------------------------------------------------------
@must("bytes: what was written is read back")
def _(trial: Trial) -> None:
    trial.holds(trial.there(), DATA)


@must("bytes: an object of six megabytes comes back whole")
def _(trial: Trial) -> None:
    data = sha256(DATA).digest() * 200_000
    trial.holds(trial.there(data), data)


@must("bytes: an empty object is one")
def _(trial: Trial) -> None:
    trial.holds(trial.there(b""), b"")


@must("bytes: keys have letters, digits, dots, dashes, underscores and slashes")
def _(trial: Trial) -> None:
    key = f"{trial.new()}/Aa0._-/b.jpg"
    expect(trial.put(key)[0], 200)
    trial.holds(key, DATA)


@must("bytes: a key may have 200 signs")
def _(trial: Trial) -> None:
    key = f"{trial.folder}{'x' * (200 - len(trial.folder))}"
    expect(trial.put(key)[0], 200)
    trial.holds(key, DATA)


@must("bytes: what was written is there for the next request")
def _(trial: Trial) -> None:
    for number in range(10):
        trial.holds(trial.there(b"%d" % number), b"%d" % number)


@must("head: size")
def _(trial: Trial) -> None:
    expect(trial.ask("head_object", trial.there())[2].get("ContentLength"), len(DATA))


@must("head: time of the last change, within five minutes of our clock")
def _(trial: Trial) -> None:
    modified = trial.ask("head_object", trial.there())[2]["LastModified"]
    if abs(datetime.now(UTC) - modified) > timedelta(minutes=5):
        raise Cannot(f"says {modified:%Y-%m-%d %H:%M:%S}")


@must("head: content type and caching as they were given")
def _(trial: Trial) -> None:
    key = trial.new()
    trial.ask(
        "put_object", key, Body=DATA, ContentType="image/jpeg", CacheControl="public, max-age=31536000, immutable"
    )
    found = trial.ask("head_object", key)[2]
    expect(found.get("ContentType"), "image/jpeg")
    expect(found.get("CacheControl"), IMMUTABLE)


# --- Conditions -------------------------------------------------------------------------------------
@must("condition: If-None-Match: * writes a new key")
def _(trial: Trial) -> None:
    expect(trial.put(trial.new(), IfNoneMatch="*")[0], 200)


@must("condition: If-None-Match: * answers 412 when the key is there")
def _(trial: Trial) -> None:
    expect(trial.put(trial.there(), OTHER, IfNoneMatch="*")[0], 412)


@must("condition: what was refused by 412 changed nothing")
def _(trial: Trial) -> None:
    key = trial.there()
    trial.put(key, OTHER, IfNoneMatch="*")
    trial.holds(key, DATA)


@must("condition: together with a checksum it holds, too")
def _(trial: Trial) -> None:
    key = trial.new()
    asked: dict[str, Any] = {"IfNoneMatch": "*", "ChecksumSHA256": in_base64(DIGEST)}
    expect([trial.put(key, DATA, **asked)[0], trial.put(key, DATA, **asked)[0]], [200, 412])


@must("condition: of eight writers at once one writes")
def _(trial: Trial) -> None:
    key = trial.new()
    with ThreadPoolExecutor(8) as writers:
        found = list(writers.map(lambda number: trial.put(key, b"%d" % number, IfNoneMatch="*")[0], range(8)))
    expect(sorted(409 if one in (409, 412) else one for one in found), [200] + [409] * 7)
    trial.holds(key, b"%d" % found.index(200))


@must("condition: a key that was deleted is free again")
def _(trial: Trial) -> None:
    key = trial.there()
    trial.ask("delete_object", key)
    expect(trial.put(key, OTHER, IfNoneMatch="*")[0], 200)
    trial.holds(key, OTHER)


# --- Checksums --------------------------------------------------------------------------------------
@must("checksum: the right x-amz-checksum-sha256 is taken")
def _(trial: Trial) -> None:
    expect(trial.put(trial.new(), ChecksumSHA256=in_base64(DIGEST))[0], 200)


@must("checksum: a wrong x-amz-checksum-sha256 is refused")
def _(trial: Trial) -> None:
    expect(trial.put(trial.new(), OTHER, ChecksumSHA256=in_base64(DIGEST))[0], 400)


@must("checksum: what was refused isn't there")
def _(trial: Trial) -> None:
    key = trial.new()
    trial.put(key, OTHER, ChecksumSHA256=in_base64(DIGEST))
    trial.holds(key, None)
