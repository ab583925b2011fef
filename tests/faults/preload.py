"""What each forked process of a fault test would load anew, loaded once in the fork server."""

from functools import cache

import botocore.session

from tests.faults import roles  # noqa: F401 -- sets Django up

# Descriptions of S3 are 0.2 s to read for each client.
botocore.session.create_loader = cache(botocore.session.create_loader)

import celery.apps.worker  # noqa: E402, F401
from django.test import Client  # noqa: E402

from config.celery import app  # noqa: E402
from images.blobs.bucket import bucket_blobs  # noqa: E402

app.finalize()
app.loader.import_default_modules()
bucket_blobs()
Client(headers={"Host": "localhost"}).get("/livez")
