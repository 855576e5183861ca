"""Where a request really comes from, behind however many proxies of the operator's own."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import Scope

Network = IPv4Network | IPv6Network

_SITE: Final = 64
"""Bits of an IPv6 address that name one customer's network; the rest are theirs to choose (RFC 4291, 2.5.4)."""


def networks(names: Iterable[str]) -> tuple[Network, ...]:
    """``names`` (``10.0.0.0/8``, ``::1``) as networks; `bot.config` has checked them.

    Raises:
        ValueError: one is no network.
    """
    return tuple(ip_network(name, strict=False) for name in names)


def client_address(scope: Scope, trusted: Iterable[Network]) -> str:
    """The address of whoever asks; empty where the connection has none (a Unix socket).

    ``X-Forwarded-For`` is believed only as far as trusted proxies wrote it: it is read from the right, each
    proxy naming the one before it, up to the first address that is no proxy of ours. What stands to the left
    of that one was written by strangers. Garbage ends the reading. ``Forwarded`` (RFC 7239) is not read: two
    headers that may disagree are a way to be lied to.
    """
    peer = scope.get("client")
    found = _parse(peer[0]) if peer else None
    if found is None:
        return ""
    near = tuple(trusted)
    hops = _hops(scope)
    while hops and _within(found, near):
        before = _parse(hops.pop())
        if before is None:
            break
        found = before
    return str(found)


def client_scheme(scope: Scope, trusted: Iterable[Network]) -> str:
    """``http`` or ``https``, as the nearest trusted proxy says in ``X-Forwarded-Proto``, else as connected."""
    scheme: str = scope["scheme"]
    peer = scope.get("client")
    found = _parse(peer[0]) if peer else None
    if found is None or not _within(found, tuple(trusted)):
        return scheme
    said = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
    last = said[-1].decode("latin-1").rpartition(",")[2].strip().lower() if said else ""
    return last if last in {"http", "https"} else scheme


def household(address: str) -> str:
    """What is counted as one: an IPv4 address, or the network an IPv6 address is in."""
    found = _parse(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found) >> _SITE << _SITE, _SITE)))
    return address


def is_local(address: str) -> bool:
    """Whether ``address`` is this machine's own."""
    found = _parse(address)
    return found is not None and found.is_loopback


def _hops(scope: Scope) -> list[str]:
    """Every entry of ``X-Forwarded-For``, the nearest last."""
    headers = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop for header in headers for hop in header.split(",")]


@lru_cache(maxsize=512)
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it: alone, ``[v6]:port``, ``v4:port``; IPv4 inside IPv6 is IPv4."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    inner = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return inner or found


def _within(address: IPv4Address | IPv6Address, near: tuple[Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in near)
