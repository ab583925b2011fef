"""How many files a process may have open. Each stream is one."""

import resource
import sys
from contextlib import suppress

OTHERS = 200  # for all that isn't a stream: connections of databases, requests, files


def room_for_streams() -> int:
    """How many streams the open files are enough for, when this process takes as many as it may.

    The soft limit, 1,024 nearly everywhere, is for programs that can't count further. Only the hard one is meant.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError):  # where "no limit" is more than the kernel gives
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else max(1, soft - OTHERS)
