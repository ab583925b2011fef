"""Gets a picture from an address that a provider named, and from nowhere else than the public internet.

The name is resolved once, every address of it has to be public, and the socket goes to the address that was judged: a
name that answers differently a moment later finds nobody asking.
"""

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from urllib.parse import SplitResult, urljoin, urlsplit

from studio import transport

MAX_BYTES = 25_000_000
MOST_REDIRECTS = 3
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# IPv6 addresses that carry an IPv4 address in their last four bytes: NAT64, and IPv4-compatible ones.
CARRIERS = tuple(map(IPv6Network, ("64:ff9b::/96", "::/96")))

Address = IPv4Address | IPv6Address


class NotFetched(Exception):
    """The picture isn't here: the network failed, or the answer was no success. Trying again may help."""


class Forbidden(NotFetched):
    """We don't go to this address: it isn't https, or isn't public."""


class Gone(NotFetched):
    """There is nothing at this address (any more), or too much of it. Trying again doesn't help."""


def fetch(url: str, *, deadline: float, trusted: str = "") -> bytes:
    """The bytes at ``url``, at most 25 MB, by ``deadline``, a moment of ``time.monotonic()``.

    ``trusted`` is the address of the operator's own provider: its very origin may be http, and in the shop's network.
    Raises `NotFetched`.
    """
    for _ in range(MOST_REDIRECTS + 1):
        reply = got(url, deadline=deadline, trusted=trusted)
        if reply.succeeded:
            return reply.data
        if reply.status not in REDIRECTS:
            kind = Gone if reply.status in {403, 404, 410} else NotFetched
            raise kind(f"The address answered {reply.status}.")
        url = urljoin(url, reply.headers.get("location", ""))
    raise Gone("The address leads to another one more than three times.")


def got(url: str, *, deadline: float, trusted: str) -> transport.Reply:
    try:
        address = urlsplit(url)
        ip = "" if trusted and origin(address) == origin(urlsplit(trusted)) else judged(address)
        host = origin(address)[1]
    except ValueError as error:
        raise Forbidden("This isn't an address.") from error
    named = f"[{host}]" if ":" in host else host
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    try:
        return transport.exchange(
            transport.connection_to(address, deadline=deadline, ip=ip),
            "GET",
            target,
            headers={"Host": named if address.port is None else f"{named}:{address.port}", "Accept": "image/*"},
            deadline=deadline,
            most=MAX_BYTES,
        )
    except transport.TooLarge as error:
        raise Gone("The picture has more than 25 MB.") from error
    except (transport.NotConnected, transport.Lost) as error:
        raise NotFetched(f"The address can't be read ({error}).") from error


def origin(address: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port. Raises ``ValueError`` for what isn't an address of the web."""
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise ValueError(address.scheme)
    return address.scheme, address.hostname, address.port or (443 if address.scheme == "https" else 80)


def judged(address: SplitResult) -> str:
    """The one address that the host's name leads to, when all of them are public. Raises `NotFetched`."""
    scheme, host, port = origin(address)
    if scheme != "https":
        raise Forbidden("Only https is fetched.")
    if address.username is not None or address.password is not None:
        raise Forbidden("An address with a login isn't fetched.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotFetched("The name can't be resolved.") from error
    ips = [str(entry[4][0]) for entry in found]
    if not ips or not all(is_public(ipaddress.ip_address(ip)) for ip in ips):
        raise Forbidden("This address isn't on the public internet.")
    return ips[0]


def is_public(ip: Address) -> bool:
    """Whether ``ip``, and every IPv4 address that it carries, is one of the public internet."""
    if isinstance(ip, IPv4Address):
        return ip.is_global and not ip.is_multicast and not ip.is_reserved
    if any(not is_public(inner) for inner in carried(ip)):
        return False
    if carried(ip):
        return True  # it is a way to an IPv4 address, which is public
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_site_local or ip.scope_id is not None)


def carried(ip: IPv6Address) -> list[IPv4Address]:
    if ip.ipv4_mapped is not None:
        return [ip.ipv4_mapped]
    if ip.sixtofour is not None:
        return [ip.sixtofour]
    if ip.teredo is not None:
        return list(ip.teredo)
    if any(ip in network for network in CARRIERS):
        return [IPv4Address(int(ip) & 0xFFFFFFFF)]
    return []
