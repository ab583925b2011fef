"""``manage.py load_demo``: the demo restaurant, once."""

from functools import partial
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from catalog.demo.loading import LOGIN, PASSWORD, load


class Command(BaseCommand):
    help = "Load the demo restaurant, with pictures, tables, staff and price rules, unless it was loaded before."

    def handle(self, *args: Any, **options: Any) -> None:
        # disable=None: a bar on a terminal only
        bar = partial(tqdm, desc="Storing pictures", unit="picture", disable=None, leave=False)
        loaded = load(progress=bar)
        if not loaded.created:
            self.stdout.write("The demo restaurant is there already; nothing was changed.")
            return
        self.stdout.write(
            f"The demo restaurant is open: {loaded.products} products, {loaded.pictures} with a picture. "
            f"Log in as {LOGIN} with the password {PASSWORD}."
        )
