"""GET /metrics: numbers for Prometheus, for those who run the server."""

import logging
import math
import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from hmac import compare_digest

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, F, Min, Model, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from devices import proxies
from devices.models import Device
from images.models import Image, Pass
from refusals import Refusal
from studio.broker import STUDIO
from studio.models import Call, Item
from syncing import lag, registry
from syncing.models import Change, SyncedResource
from telemetry import counters
from uploads.broker import IMAGES, LARGE_IMAGES
from uploads.measures import Measured, measured
from uploads.models import Photo

from . import heartbeats

logger = logging.getLogger(__name__)

QUEUES = (IMAGES, LARGE_IMAGES, STUDIO, "upkeep")
# Counted by all processes (telemetry/counters.py): name, text, labels.
COUNTERS: tuple[tuple[str, str, list[str]], ...] = (
    ("storage_failures", "Failures of the storage.", ["reason"]),
    ("requests", "Answered requests.", ["route", "method", "status"]),
    ("request_seconds", "Seconds that requests took, in all.", ["route", "method"]),
    ("streams_opened", "Streams that were opened.", []),
    ("streams_refused", "Streams that were refused.", ["code"]),
)


def _build() -> str:
    """The commit of the checkout; "unknown" without one."""
    with suppress(OSError):
        head = (settings.BASE_DIR / ".git" / "HEAD").read_text().strip()
        if head.startswith("ref: "):
            head = (settings.BASE_DIR / ".git" / head.removeprefix("ref: ")).read_text().strip()
        return head[:12]
    return "unknown"


BUILD = _build()


class MetricsForbidden(Refusal):
    status, code = 403, "forbidden"
    detail = _("Metrics are for loopback or for the bearer token METRICS_TOKEN.")


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus; from loopback itself (not through a proxy on it), or with the token of ``METRICS_TOKEN``."""
    if not may_see(request):
        raise MetricsForbidden
    registry = CollectorRegistry()
    registry.register(Collector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def may_see(request: HttpRequest) -> bool:
    """Whether the client runs this server: on the machine itself, or by the token."""
    return proxies.is_from_here(request) or has_token(request)


def has_token(request: HttpRequest) -> bool:
    shown = request.META.get("HTTP_AUTHORIZATION", "").encode()
    return bool(settings.METRICS_TOKEN) and compare_digest(shown, f"Bearer {settings.METRICS_TOKEN}".encode())


class Collector:
    """Everything is read from the database and the broker when asked: any process can answer for all.

    What can't be read is left out; ``redcoral_up`` says whether the database can be.
    """

    def collect(self) -> Iterator[Metric]:
        began = time.perf_counter()
        try:
            found = list(_of_database())
        except DatabaseError as error:
            logger.warning("Metrics without the database: %s", error)
            found = []
        yield GaugeMetricFamily("redcoral_up", "1: the database answers.", float(bool(found)))
        yield from found
        with suppress(redis.RedisError):  # without a broker the rest is still worth having
            yield from list(_of_broker())
        yield from _of_this_box()
        spent = time.perf_counter() - began
        yield GaugeMetricFamily("redcoral_metrics_seconds", "Time that collecting these metrics took.", spent)


def _of_database() -> Iterator[Metric]:
    version = GaugeMetricFamily("redcoral_sync_version", "Version of a resource.", labels=["resource"])
    horizon = GaugeMetricFamily("redcoral_sync_horizon", "Oldest version with a delta.", labels=["resource"])
    for row in SyncedResource.objects.filter(name__in=registry.names()).order_by("name"):
        version.add_metric([row.name], row.version)
        horizon.add_metric([row.name], row.horizon)
    yield version
    yield horizon
    yield GaugeMetricFamily("redcoral_sync_log_rows", "Rows of the change log.", Change.objects.count())
    yield _by_status("redcoral_images", "Images by status.", Image)
    yield _by_status("redcoral_photos", "Uploaded photos by status.", Photo)
    yield from _upkeep()
    yield from _studio()
    oldest = Photo.objects.filter(status=Photo.Status.PENDING).aggregate(oldest=Min("created_at"))["oldest"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    yield GaugeMetricFamily("redcoral_oldest_pending_photo_seconds", "Age of the oldest pending photo.", age)
    devices = Device.objects.filter(revoked_at=None).count()
    yield GaugeMetricFamily("redcoral_devices", "Enrolled devices that are not revoked.", devices)
    lags = GaugeMetricFamily(
        "redcoral_device_lag_changes",
        "Changes that a device has not confirmed; +Inf when it has to refetch.",
        labels=["device", "name"],
    )
    for device, behind in lag.lags():
        lags.add_metric([str(device.pk), device.name], math.inf if behind is None else behind)
    yield lags


def _studio() -> Iterator[Metric]:
    yield _by_status("redcoral_studio_items", "Pictures of the studio by status.", Item)
    calls = CounterMetricFamily(
        "redcoral_studio_calls", "Calls that may cost money, by how they ended.", labels=["provider", "outcome"]
    )
    ended = Call.objects.exclude(closed_at=None).values_list("provider", "outcome").order_by()
    for provider, outcome, count in ended.annotate(Count("pk")):
        calls.add_metric([provider, outcome], count)
    yield calls
    took = ended.values("provider").annotate(seconds=Sum(F("closed_at") - F("opened_at")), count=Count("pk"))
    seconds = SummaryMetricFamily("redcoral_studio_call_seconds", "What a call takes.", labels=["provider"])
    for row in took:
        seconds.add_metric([row["provider"]], row["count"], row["seconds"].total_seconds())
    yield seconds
    unstored = Item.objects.unstored().aggregate(count=Count("pk"), oldest=Min("ready_at"))
    age = (timezone.now() - unstored["oldest"]).total_seconds() if unstored["oldest"] else 0.0
    yield GaugeMetricFamily("redcoral_studio_unstored", "Ready pictures that are not stored yet.", unstored["count"])
    yield GaugeMetricFamily("redcoral_studio_unstored_seconds", "Age of the oldest of them.", age)


def _of_broker() -> Iterator[Metric]:
    """Raises redis.RedisError."""
    yield from _uploads(measured())
    client = heartbeats.broker()
    streams = GaugeMetricFamily("redcoral_streams", "Open streams of a process.", labels=["process"])
    for process, count in heartbeats.streams(client):
        streams.add_metric([process], count)
    yield streams
    yield GaugeMetricFamily("redcoral_workers", "Workers that were heard of lately.", heartbeats.count(client))
    left = client.ttl(heartbeats.BEAT)
    age = heartbeats.KEY_SECONDS - left if 0 <= left <= heartbeats.KEY_SECONDS else math.inf
    yield GaugeMetricFamily("redcoral_beat_age_seconds", "Since beat was heard of; +Inf: not lately.", age)
    waiting = GaugeMetricFamily("redcoral_queue_length", "Messages that wait for a worker.", labels=["queue"])
    for queue in QUEUES:
        waiting.add_metric([queue], client.llen(queue))
    yield waiting
    found = counters.counted()
    for name, text, labels in COUNTERS:
        family = CounterMetricFamily(f"redcoral_{name}", text, labels=labels)
        for values, amount in found.get(name, ()):
            family.add_metric([values.get(label, "") for label in labels], amount)
        yield family


def _of_this_box() -> Iterator[Metric]:
    build = GaugeMetricFamily("redcoral_build", "1; what runs here.", labels=["version", "python", "database"])
    build.add_metric([BUILD, platform.python_version(), connection.vendor], 1)
    yield build
    with suppress(OSError):
        free = shutil.disk_usage(settings.DATA_DIR).free
        yield GaugeMetricFamily("redcoral_disk_free_bytes", "Free where the data directory lies.", free)
    pool = getattr(connection, "pool", None) if connection.vendor == "postgresql" else None
    if pool is not None:
        stats = pool.get_stats()
        family = GaugeMetricFamily("redcoral_pool_connections", "Connections of the process asked.", labels=["state"])
        family.add_metric(["open"], stats.get("pool_size", 0))
        family.add_metric(["free"], stats.get("pool_available", 0))
        family.add_metric(["waited_for"], stats.get("requests_waiting", 0))
        yield family


def _uploads(found: Measured) -> Iterator[Metric]:
    attempts = CounterMetricFamily("redcoral_photo_attempts", "Photos that workers took.", labels=["outcome"])
    for outcome, count in found.attempts.items():
        attempts.add_metric([outcome], count)
    yield attempts
    seconds = HistogramMetricFamily("redcoral_photo_processing_seconds", "A worker's time for one photo.")
    seconds.add_metric([], found.seconds, found.seconds_sum)
    yield seconds
    passes = CounterMetricFamily("redcoral_reconciliation_passes", "Passes over one album or all.", labels=["scope"])
    for scope, count in found.passes.items():
        passes.add_metric([scope], count)
    yield passes
    decided = CounterMetricFamily(
        "redcoral_reconciled_photos", "Photos that passes looked at.", labels=["scope", "decision"]
    )
    for (scope, decision), count in found.decisions.items():
        decided.add_metric([scope, decision], count)
    yield decided


def _by_status(name: str, text: str, model: type[Model]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=["status"])
    counts = dict(model._default_manager.order_by().values_list("status").annotate(Count("pk")))
    for status in model._meta.get_field("status").choices or []:  # type: ignore[union-attr]
        family.add_metric([status[0]], counts.get(status[0], 0))
    return family


def _upkeep() -> Iterator[Metric]:
    """What the last real pass of each kind did, and when."""
    damaged = Image.objects.filter(damaged_at__isnull=False).count()
    yield GaugeMetricFamily("redcoral_images_damaged", "Images whose bytes are wrong or lost.", damaged)
    age = GaugeMetricFamily("redcoral_image_upkeep_age_seconds", "Since the last pass began.", labels=["kind"])
    good = GaugeMetricFamily("redcoral_image_upkeep_ok", "1: it wasn't stopped by a failure.", labels=["kind"])
    counts = GaugeMetricFamily("redcoral_image_upkeep", "What the last pass did.", labels=["kind", "count"])
    for kind in Pass.Kind.values:
        last = Pass.objects.filter(kind=kind, is_dry_run=False).exclude(ended_at=None).first()
        if last is not None:
            age.add_metric([kind], (timezone.now() - last.started_at).total_seconds())
            good.add_metric([kind], float(last.outcome in (Pass.Outcome.DONE, Pass.Outcome.MORE)))
            for name, number in last.counts.items():
                counts.add_metric([kind, name], number)
    yield from (age, good, counts)
