"""Fetch pictures from the web, only from hosts the operator named."""

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

import httpx

from serving.errors import BadImageError, TooLargeError
from serving.settings import ImageLimits

_WRAPPED = tuple(
    map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96"))
)
"""NAT64's two prefixes (RFC 6052, 8215), and both old ways to write IPv4 as IPv6."""

FETCHES = 8
"""Pictures that are fetched at the same time; the rest waits its turn."""


class Fetcher:
    """Follows no redirect and reaches no private address.

    The address is resolved once, checked, and connected to as it is, so that a name that changes
    its answer between check and use gains nothing (DNS rebinding).
    """

    def __init__(self, limits: ImageLimits) -> None:
        self._limits = limits
        self._places = asyncio.Semaphore(FETCHES)

    async def fetch(self, url: str, where: str) -> bytes:
        """Return the body of an http(s) URL.

        Raises:
            BadImageError: the scheme or host is not allowed, or it cannot be fetched in time.
            TooLargeError: the body is over the limit.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise BadImageError(f"{where}: not a URL: {error}", where) from error
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise BadImageError(f"{where}: expected a data: URL or http(s)://host/…", where)
        if parts.hostname not in self._limits.allowed_hosts:
            raise BadImageError(
                f"{where}: pictures are not fetched from {parts.hostname}; send a data URL, or "
                "have the operator add the host to images.allowed_hosts",
                where,
            )
        limit_s = self._limits.fetch_timeout_s
        try:
            # a place, the name, headers and body together
            async with asyncio.timeout(limit_s), self._places:
                address = await self._address(parts.hostname, where)
                netloc = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
                direct = parts._replace(netloc=netloc).geturl()
                host = parts.netloc.rpartition("@")[2]
                return await self._read(direct, host, parts.hostname, where)
        except TimeoutError as error:
            raise BadImageError(f"{where}: not fetched within {limit_s:g} s", where) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise BadImageError(f"{where}: could not be fetched: {error}", where) from error

    async def _read(self, url: str, host: str, name: str, where: str) -> bytes:
        async with (
            httpx.AsyncClient(timeout=self._limits.fetch_timeout_s, trust_env=False) as client,
            client.stream(
                "GET",
                url,
                # what is sent must be what is counted: no compression
                headers={"host": host, "accept-encoding": "identity"},
                extensions={"sni_hostname": name},
            ) as reply,
        ):
            if reply.status_code != 200:
                raise BadImageError(f"{where}: its host answered {reply.status_code}", where)
            data = bytearray()
            async for part in reply.aiter_raw():
                data += part
                if len(data) > self._limits.max_bytes:
                    raise TooLargeError(f"{where}: over {self._limits.max_bytes} bytes", where)
            return bytes(data)

    async def _address(self, name: str, where: str) -> str:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError as error:
            raise BadImageError(f"{where}: no such host {name}", where) from error
        address = str(found[0][4][0])
        if not is_public(address):
            raise BadImageError(f"{where}: {name} is at a private address", where)
        return address


def is_public(address: str) -> bool:
    """Tell whether an IP address may be fetched from: no loopback, private or link-local one.

    Nor one of IPv6 that carries an address of IPv4 inside, which a gateway would unwrap.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour or ip.teredo
        if wrapped is not None or any(ip in net for net in _WRAPPED) or ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast
