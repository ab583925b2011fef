"""Settings of a server with one bare view that runs one query: no middleware, no login, no REST framework."""

from config.settings import *  # noqa: F403 - all but these lines is the server's

ROOT_URLCONF = "benchmarks.sync.bare_urls"
MIDDLEWARE = []
