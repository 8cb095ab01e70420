"""Signed messages to a webhook, to no address we should not reach.

The host is resolved once and every address checked; the connection goes to the address that was checked, so a
second answer of the name service changes nothing. Redirects are not followed. The signature covers the time, so
a recorded message cannot be sent again later.
"""

import hashlib
import hmac
import ipaddress
import socket
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

import urllib3
from urllib3.util import Timeout

from loopwatch_collector.alerts.errors import DestinationRefused

SIGNATURE_HEADER: Final = "loopwatch-signature"
ID_HEADER: Final = "loopwatch-notification-id"
_TIMEOUT: Final = Timeout(connect=5.0, read=10.0)
_PORTS: Final = {"http": 80, "https": 443}


class DeliveryFailed(Exception):
    """The message did not arrive.

    Args:
        message: why.
        retryable: whether trying again may help.
    """

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Signs a message.

    Args:
        secret: known to both sides.
        timestamp: seconds since the epoch.
        body: of the request.

    Returns:
        `t=TIMESTAMP,v1=HEX`, HEX being HMAC-SHA256 of `TIMESTAMP.BODY`.
    """
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def verify(secret: str, header: str, body: bytes, now_s: float, tolerance_s: float = 300) -> bool:
    """Checks a signature as a receiver should: the digest, in constant time, and that it is not old."""
    fields = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    if not fields.get("t", "").isdigit() or abs(now_s - int(fields["t"])) > tolerance_s:
        return False
    return hmac.compare_digest(sign(secret, int(fields["t"]), body), header)


def check_url(url: str) -> tuple[SplitResult, str]:
    """Takes a webhook's URL apart.

    Args:
        url: http or https.

    Returns:
        Its parts, and the host's name.

    Raises:
        DestinationRefused: it cannot be used, whatever its address is.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError as wrong:
        raise DestinationRefused(f"a webhook's URL is not one: {wrong}") from wrong
    if parts.scheme not in _PORTS or not host:
        raise DestinationRefused(
            f"a webhook's URL begins with https:// or http:// and names a host, not '{parts.scheme[:20]}:'"
        )
    if parts.username or parts.password:
        raise DestinationRefused("a webhook's URL holds no user name or password; the signature is what identifies us")
    return parts, host


def resolve(url: str, *, allow_private: bool) -> tuple[str, str]:
    """Finds the address a webhook is sent to.

    Args:
        url: http or https.
        allow_private: whether it may be on a private network or on this machine.

    Returns:
        The host's name and the address to connect to.

    Raises:
        DestinationRefused: the URL cannot be used, or one of its addresses is private.
        DeliveryFailed: the name cannot be resolved now.
    """
    parts, host = check_url(url)
    try:
        port = parts.port or _PORTS[parts.scheme]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as fault:
        raise DeliveryFailed(f"the address of {host} cannot be found: {fault}") from fault
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not allow_private and not _is_public(address):
            raise DestinationRefused(
                f"{host} has the private address {address}; set allow_private = true if that is meant"
            )
    return host, addresses[0]


def _is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is not None:
            return _is_public(str(inner))
        if parsed in ipaddress.ip_network("64:ff9b::/96"):  # NAT64: the IPv4 address is in the last four bytes
            return _is_public(str(ipaddress.IPv4Address(parsed.packed[-4:])))
    return parsed.is_global and not parsed.is_multicast


def post(url: str, secret: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool) -> None:
    """Sends one signed message.

    Args:
        url: where to.
        secret: signs it.
        body: JSON.
        headers: beside those of content and signature.
        allow_private: see `resolve`.

    Raises:
        DestinationRefused: the address is refused.
        DeliveryFailed: it did not arrive.
    """
    host, address = resolve(url, allow_private=allow_private)
    parts = urlsplit(url)
    timestamp = int(time.time())
    all_headers = {
        "host": parts.netloc,
        "content-type": "application/json",
        "user-agent": "loopwatch",
        SIGNATURE_HEADER: sign(secret, timestamp, body),
        **headers,
    }
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with _pool(parts.scheme, host, address, parts.port or _PORTS[parts.scheme]) as pool:
        try:
            answer = pool.urlopen(
                "POST",
                target,
                body=body,
                headers=all_headers,
                redirect=False,
                retries=False,
                timeout=_TIMEOUT,
                preload_content=False,  # the answer's body says nothing to us, and may have no end
            )
        except urllib3.exceptions.HTTPError as fault:
            raise DeliveryFailed(f"{host} does not answer: {type(fault).__name__}") from fault
        answer.close()
    if not 200 <= answer.status < 300:
        retryable = answer.status in {408, 425, 429} or answer.status >= 500
        raise DeliveryFailed(f"{host} answered {answer.status}", retryable=retryable)


def _pool(scheme: str, host: str, address: str, port: int) -> urllib3.HTTPConnectionPool:
    if scheme == "http":
        return urllib3.HTTPConnectionPool(address, port)
    return urllib3.HTTPSConnectionPool(address, port, server_hostname=host, assert_hostname=host)
