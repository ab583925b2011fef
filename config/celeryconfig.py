"""Celery's settings, by Celery's names. What an operator can change of them comes from config/settings.py."""

import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from kombu.entity import Queue

from studio.broker import STUDIO
from uploads.broker import IMAGES, LARGE_IMAGES

UPKEEP = "upkeep"

try:
    broker_url = settings.REDIS_URL.replace("unix://", "redis+socket://", 1)
except ImproperlyConfigured as mistake:  # the operator's, who needs the sentence and no traceback
    sys.exit(str(mistake))
broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # for ever
# A broker that answers "no" (its disk is full, it became a replica, it loads) is waited for like one that is away.
broker_channel_error_retry = True
broker_transport_options = {
    # Redis redelivers what runs longer than this; tasks end at 120 s, and the row decides who may finish.
    "visibility_timeout": 300,
    "unacked_restore_throttle": 1,
    "priority_steps": [0],  # a queue is one list, not four to be asked for each message
    "socket_timeout": 10,
    "socket_connect_timeout": 2,
    # A request that enqueues never hangs on a dead broker: it gives up soon, and reconciliation finishes the work.
    "max_retries": 1,
    "interval_start": 0,
    "interval_max": 0.2,
}

accept_content = ["json"]  # nothing that a message could run
task_ignore_result = True
task_acks_late = True
task_reject_on_worker_lost = True
task_time_limit = 120  # seconds
task_soft_time_limit = 90
task_publish_retry_policy = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.2}
# A worker takes from its queues alternately, so that large photos don't keep small ones waiting, and neither upkeep.
task_queues = [Queue(name, routing_key=name) for name in (IMAGES, LARGE_IMAGES, STUDIO, UPKEEP)]
task_default_queue = UPKEEP
task_routes = {"uploads.tasks.process_photo": {"queue": IMAGES}, "studio.tasks.generate": {"queue": STUDIO}}
photo_rate = f"{settings.PHOTOS_PER_MINUTE}/m" if settings.PHOTOS_PER_MINUTE else None  # of each worker
task_annotations = {"uploads.tasks.process_photo": {"rate_limit": photo_rate}}

worker_prefetch_multiplier = 1
worker_soft_shutdown_timeout = 2.0  # seconds
worker_hijack_root_logger = False
worker_cancel_long_running_tasks_on_connection_loss = True

timezone = settings.TIME_ZONE
# Here, or a beat that is started by hand keeps its times in the folder where that happens.
beat_schedule_filename = str(settings.DATA_DIR / "beat-schedule")
beat_scheduler = "config.beat:Schedule"
beat_max_loop_interval = 5  # seconds; so often it looks at the clock and says that it lives
scan_seconds = settings.PENDING_PHOTO_SCAN_INTERVAL_MS / 1000
# Every periodic task is harmless when it runs twice. A message that waited longer than its period is worth nothing.
beat_schedule = {
    "scan pending photos": {
        "task": "uploads.tasks.scan_pending_photos",
        "schedule": scan_seconds,
        "options": {"expires": max(1.0, scan_seconds)},
    },
    "scan the studio's items": {
        "task": "studio.tasks.scan_items",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "prune changes": {"task": "syncing.tasks.prune_changes", "schedule": 60 * 60},
    "quarantine orphaned originals": {
        "task": "uploads.tasks.quarantine_orphaned_originals",
        "schedule": 24 * 60 * 60,
    },
    "prune edits": {"task": "catalog.tasks.prune_edits", "schedule": 24 * 60 * 60},
    "sweep sheets": {"task": "catalog.tasks.sweep_sheets", "schedule": 24 * 60 * 60},
    "sweep images": {"task": "images.tasks.sweep_images", "schedule": 24 * 60 * 60},
    "scrub images": {"task": "images.tasks.scrub_images", "schedule": 60 * 60, "options": {"expires": 60 * 60}},
    "quarantine orphaned images": {"task": "images.tasks.quarantine_orphaned_images", "schedule": 24 * 60 * 60},
}
