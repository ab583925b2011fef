"""Who may do what in a bucket, with keys and by presigned addresses."""

import time
from collections.abc import Callable

from images.blobs.bucket import client_with

from .trying import DATA, NOBODYS, OTHER, Trial, answers, expect, must
from .writing import TYPE, send


# --- Who may ----------------------------------------------------------------------------------------
@must("access: a wrong secret is refused")
def _(trial: Trial) -> None:
    stranger = client_with(secret_key=NOBODYS)
    expect(trial.ask("get_object", trial.there(), client=stranger)[0], 403)


@must("access: an unknown access key is refused")
def _(trial: Trial) -> None:
    stranger = client_with(access_key="NOBODYSACCESSKEY0000", secret_key=NOBODYS)
    expect(trial.ask("get_object", trial.there(), client=stranger)[0], 401, 403)


@must("access: a wrong secret is refused, not told that the key is missing")
def _(trial: Trial) -> None:
    stranger = client_with(secret_key=NOBODYS)
    expect(trial.ask("head_object", trial.new(), client=stranger)[0], 403)


@must("access: nobody reads without a signature")
def _(trial: Trial) -> None:
    answers(send("GET", bare(trial, trial.there())), 400, 401, 403)


@must("access: nobody writes without a signature")
def _(trial: Trial) -> None:
    key = trial.new()
    answers(send("PUT", bare(trial, key), DATA), 400, 401, 403)
    trial.holds(key, None)


@must("access: nobody deletes without a signature")
def _(trial: Trial) -> None:
    key = trial.there()
    answers(send("DELETE", bare(trial, key)), 400, 401, 403)
    trial.holds(key, DATA)


@must("access: nobody lists without a signature")
def _(trial: Trial) -> None:
    answers(send("GET", f"{trial.store.client.meta.endpoint_url}/{trial.store.bucket}?list-type=2"), 400, 401, 403)


def bare(trial: Trial, key: str) -> str:
    return trial.store.presigned_get(key, 60).partition("?")[0]


# --- Presigned PUT ----------------------------------------------------------------------------------
@must("presigned PUT: a client writes with the headers that it was given")
def _(trial: Trial) -> None:
    key = trial.new()
    url, headers = trial.target(key)
    answers(send("PUT", url, DATA, headers), 200)
    trial.holds(key, DATA)


@must("presigned PUT: without a checksum, too")
def _(trial: Trial) -> None:
    key = trial.new()
    url, headers = trial.target(key, checksum=False)
    answers(send("PUT", url, DATA, headers), 200)
    trial.holds(key, DATA)


@must("presigned PUT: a second one answers 412")
def _(trial: Trial) -> None:
    key = trial.new()
    url, headers = trial.target(key)
    send("PUT", url, DATA, headers)
    answers(send("PUT", url, DATA, headers), 412)


def refused(trial: Trial, change: Callable[[str, dict[str, str]], tuple[str, bytes]], *wanted: int) -> None:
    """A PUT that differs from what was signed is refused and writes nothing."""
    key = trial.new()
    url, headers = trial.target(key)
    changed, data = change(url, headers)
    answers(send("PUT", changed, data, headers), *(wanted or (403,)))
    trial.holds(key, None)


@must("presigned PUT: other bytes of the same length are refused")
def _(trial: Trial) -> None:
    refused(trial, lambda url, headers: (url, OTHER), 400)


@must("presigned PUT: another length is refused")
def _(trial: Trial) -> None:
    refused(trial, lambda url, headers: (url, DATA + b"!"), 400, 403)


@must("presigned PUT: another content type is refused")
def _(trial: Trial) -> None:
    def change(url: str, headers: dict[str, str]) -> tuple[str, bytes]:
        headers["Content-Type"] = "text/html"
        return url, DATA

    refused(trial, change)


@must("presigned PUT: it isn't taken without its If-None-Match")
def _(trial: Trial) -> None:
    refused(trial, lambda url, headers: (headers.pop("If-None-Match") and url, DATA), 400, 403)


@must("presigned PUT: it isn't taken without its checksum")
def _(trial: Trial) -> None:
    refused(trial, lambda url, headers: (headers.pop("x-amz-checksum-sha256") and url, DATA), 400, 403)


@must("presigned PUT: an altered signature is refused")
def _(trial: Trial) -> None:
    refused(trial, lambda url, headers: (url[:-1] + ("0" if url[-1] != "0" else "1"), DATA))


@must("presigned PUT: it is for its own key only")
def _(trial: Trial) -> None:
    key, another = trial.new(), trial.new()
    url, headers = trial.target(key)
    answers(send("PUT", url.replace(key, another), DATA, headers), 403)
    trial.holds(another, None)


@must("presigned PUT: it is no address to read or delete by")
def _(trial: Trial) -> None:
    key = trial.there()
    url, headers = trial.target(key)
    answers(send("GET", url, None, headers), 403)
    answers(send("DELETE", url, None, headers), 403)


@must("presigned PUT and GET: they expire")
def _(trial: Trial) -> None:
    key = trial.there()
    url, headers = trial.target(trial.new(), seconds=1)
    read = trial.store.presigned_get(key, 1)
    time.sleep(2.5)
    answers(send("PUT", url, DATA, headers), 403)
    answers(send("GET", read), 403)


# --- Presigned GET ----------------------------------------------------------------------------------
@must("presigned GET: a client reads")
def _(trial: Trial) -> None:
    answer = send("GET", trial.store.presigned_get(trial.there(), 60))
    answers(answer, 200)
    expect(answer.data, DATA)
    expect(answer.headers.get("Content-Type"), TYPE)


@must("presigned GET: of a part")
def _(trial: Trial) -> None:
    answer = send("GET", trial.store.presigned_get(trial.there(), 60), None, {"Range": "bytes=4-7"})
    answers(answer, 206)
    expect(answer.data, DATA[4:8])


@must("presigned GET: what isn't there is 404")
def _(trial: Trial) -> None:
    answers(send("GET", trial.store.presigned_get(trial.new(), 60)), 404)


@must("presigned GET: an altered signature is refused")
def _(trial: Trial) -> None:
    url = trial.store.presigned_get(trial.there(), 60)
    answers(send("GET", url[:-1] + ("0" if url[-1] != "0" else "1")), 403)


@must("presigned GET: it is for its own key only")
def _(trial: Trial) -> None:
    key, another = trial.there(), trial.there()
    answers(send("GET", trial.store.presigned_get(key, 60).replace(key, another)), 403)


@must("presigned GET: it is no address to write or delete by")
def _(trial: Trial) -> None:
    key = trial.there()
    url = trial.store.presigned_get(key, 60)
    answers(send("PUT", url, OTHER), 403)
    answers(send("DELETE", url), 403)
    trial.holds(key, DATA)
