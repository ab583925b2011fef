"""The names by which the server answers when ALLOWED_HOSTS names none: none that somebody else's DNS can point at it.

A page of any site can have a browser ask this server under the site's own name (DNS rebinding). An address can't be
rebound, and of the names below only those that a shop's own network gives out can be claimed, by somebody inside it.
"""

import socket
from contextlib import suppress
from functools import cache, lru_cache
from ipaddress import ip_address
from pathlib import Path

OF_THE_NETWORK = (".local", ".lan")  # multicast DNS, and what routers give; nobody can own a name like that outside
RESOLVER = Path("/etc/resolv.conf")
LONGEST = 50  # characters of an address, in brackets


class AnyAddress(str):
    """The pattern of ALLOWED_HOSTS that any IP address fits; Django itself has patterns for names only."""

    __slots__ = ()

    def lower(self) -> "AnyAddress":
        return self

    def __eq__(self, host: object) -> bool:
        return isinstance(host, AnyAddress) or (isinstance(host, str) and is_address(host))

    def __ne__(self, host: object) -> bool:
        return not self == host

    def __hash__(self) -> int:
        return hash(AnyAddress)


def is_address(host: str) -> bool:
    return len(host) <= LONGEST and _is_address(host)


@lru_cache(maxsize=1024)
def _is_address(host: str) -> bool:
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


@cache
def machine_names() -> tuple[str, ...]:
    """``localhost``, the host's name with and without its domain, and in the domains that its resolver searches."""
    whole = socket.gethostname().lower()
    short, domains = whole.partition(".")[0], []
    with suppress(OSError):
        for words in map(str.split, RESOLVER.read_text(errors="replace").splitlines()):
            if words[:1] in (["search"], ["domain"]):
                domains += [word.strip(".").lower() for word in words[1:] if word.strip(".")]
    names = ["localhost", whole, short, f"{short}.local", *(f"{short}.{domain}" for domain in domains)]
    return tuple(dict.fromkeys(filter(None, names)))


def lan_address() -> str | None:
    """The address by which this machine reaches others, and they it; None where it has none but its own."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # of no machine; nothing is sent
        address = str(probe.getsockname()[0])
        return None if ip_address(address).is_loopback else address
    return None


def default_hosts() -> list[str]:
    return [AnyAddress("addresses"), *machine_names(), *OF_THE_NETWORK]


def is_ours(host: str) -> bool:
    """Whether nobody else in the network can have claimed this name (without a port)."""
    return not host.lower().endswith(OF_THE_NETWORK) or host.lower() in machine_names()
