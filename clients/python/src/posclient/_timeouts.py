"""How long this terminal waits for its server."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timeouts:
    """Seconds. ``silence``: without a byte for so long a stream is dead. ``whole``: for one image altogether."""

    connect: float = 5.0
    read: float = 30.0
    write: float = 30.0
    pool: float = 30.0
    silence: float = 30.0
    whole: float = 120.0
    probe: float = 2.0
