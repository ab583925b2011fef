"""What a bucket must be able to do beside single objects: ranges, listing, deletion, and what is missing."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from images.blobs.bucket import BucketBlobs

from .trying import DATA, Cannot, Trial, expect, must


# --- Ranges -----------------------------------------------------------------------------------------
def part(trial: Trial, asked: str, wanted: bytes, says: str) -> None:
    found, body, answer = trial.get(trial.there(), Range=asked)
    expect((found, body), (206, wanted))
    expect(answer.get("ContentRange"), says)


@must("range: a part in the middle")
def _(trial: Trial) -> None:
    part(trial, "bytes=3-9", DATA[3:10], f"bytes 3-9/{len(DATA)}")


@must("range: from somewhere to the end")
def _(trial: Trial) -> None:
    part(trial, "bytes=10-", DATA[10:], f"bytes 10-{len(DATA) - 1}/{len(DATA)}")


@must("range: past the end, what there is")
def _(trial: Trial) -> None:
    part(trial, "bytes=50-9999", DATA[50:], f"bytes 50-{len(DATA) - 1}/{len(DATA)}")


@must("range: behind the end is 416")
def _(trial: Trial) -> None:
    expect(trial.get(trial.there(), Range=f"bytes={len(DATA)}-")[0], 416)


# --- Listing ----------------------------------------------------------------------------------------
@must("list: more than 1,000 keys, each once, in order")
def _(trial: Trial) -> None:
    wanted = trial.many
    found = trial.keys(f"{trial.folder}many/")
    if found != wanted:
        raise Cannot(f"lists {len(found)} keys ({len(set(found))} different), in order: {found == sorted(found)}")


@must("list: a page has at most as many keys as were asked for, and the next goes on behind it")
def _(trial: Trial) -> None:
    page = trial.ask("list_objects_v2", Prefix=f"{trial.folder}many/", MaxKeys=3)[2]
    expect(len(page.get("Contents", ())), 3)
    expect(page.get("IsTruncated"), True)
    following = trial.ask(
        "list_objects_v2", Prefix=f"{trial.folder}many/", MaxKeys=3, ContinuationToken=page["NextContinuationToken"]
    )[2]
    expect([item["Key"] for item in following["Contents"]], trial.many[3:6])


@must("list: it can begin behind any key")
def _(trial: Trial) -> None:
    expect(trial.keys(f"{trial.folder}many/", StartAfter=trial.many[-3]), trial.many[-2:])


@must("list: it can begin behind a key that isn't there")
def _(trial: Trial) -> None:
    expect(trial.keys(f"{trial.folder}many/", StartAfter=f"{trial.many[-2]}x"), trial.many[-1:])


@must("list: pictures and the folder of their copies are in the order of their bytes")
def _(trial: Trial) -> None:
    names = ("0a.jpg", "0b.jpg", "d0.jpg", "de.jpg", "derived/0a_160.jpg", "derived/de_160.webp", "e0.jpg", "ff.jpg")
    keys = [f"{trial.folder}order/{name}" for name in names]
    for key in reversed(keys):
        trial.put(key)
    expect(trial.keys(f"{trial.folder}order/"), keys)


@must("list: of one prefix only")
def _(trial: Trial) -> None:
    for name in ("one/x", "one-two/x"):
        trial.put(f"{trial.folder}{name}")
    expect(trial.keys(f"{trial.folder}one/"), [f"{trial.folder}one/x"])


@must("list: nothing is an empty list")
def _(trial: Trial) -> None:
    expect(trial.keys(f"{trial.folder}nothing/"), [])


@must("list: sizes and times")
def _(trial: Trial) -> None:
    key = f"{trial.folder}told/x"
    trial.put(key)
    (item,) = trial.ask("list_objects_v2", Prefix=f"{trial.folder}told/")[2]["Contents"]
    expect(item["Size"], len(DATA))
    if abs(datetime.now(UTC) - item["LastModified"]) > timedelta(minutes=5):
        raise Cannot(f"says {item['LastModified']:%Y-%m-%d %H:%M:%S}")


@must("list: what was written or deleted shows at once")
def _(trial: Trial) -> None:
    key = f"{trial.folder}now/x"
    for _round in range(3):
        trial.put(key)
        expect(trial.keys(f"{trial.folder}now/"), [key])
        trial.ask("delete_object", key)
        expect(trial.keys(f"{trial.folder}now/"), [])


# --- Deletion and what is missing -------------------------------------------------------------------
@must("delete: the key is gone, and deleting it again is fine")
def _(trial: Trial) -> None:
    key = trial.there()
    expect([trial.ask("delete_object", key)[0] for _ in range(2)], [204, 204])
    trial.holds(key, None)


@must("missing: reading a key that isn't there is 404 NoSuchKey")
def _(trial: Trial) -> None:
    expect(trial.ask("get_object", trial.new())[:2], (404, "NoSuchKey"))


@must("missing: HEAD of a key that isn't there is 404")
def _(trial: Trial) -> None:
    expect(trial.ask("head_object", trial.new())[0], 404)


@must("missing: a bucket that isn't there is never a missing key")
def _(trial: Trial) -> None:
    nowhere = BucketBlobs(trial.store.client, f"{trial.store.bucket}-{uuid4().hex[:8]}")
    found = Trial(nowhere).ask("get_object", trial.new())
    if found[1] in ("", "NoSuchKey"):
        raise Cannot(f"answers {found[0]} {found[1]}")


@must("missing: HEAD of the bucket tells whether it is there")
def _(trial: Trial) -> None:
    nowhere = BucketBlobs(trial.store.client, f"{trial.store.bucket}-{uuid4().hex[:8]}")
    expect(trial.ask("head_bucket")[0], 200)
    expect(Trial(nowhere).ask("head_bucket")[0], 403, 404)
