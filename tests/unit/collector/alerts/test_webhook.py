"""Webhooks: who signed it, and where it may go."""

import socket

import pytest

from loopwatch_collector.alerts import webhook
from loopwatch_collector.alerts.errors import DestinationRefused
from loopwatch_collector.alerts.webhook import DeliveryFailed, resolve, sign, verify


def test_the_signature_is_hmac_sha256_of_time_and_body():
    """The header is what any receiver computes with `openssl dgst -sha256 -hmac secret` over `TIME.BODY`."""
    digest = "026360fb6284f077f1148b1ae7c62679730497810a6a0321574de01e8b009e7a"
    assert sign("secret", 1000, b"{}") == f"t=1000,v1={digest}"


def test_a_receiver_refuses_what_was_changed_or_is_old():
    """Another body, another secret, another time and an old message do not verify; the right one does."""
    header = sign("secret", 1000, b"body")
    assert verify("secret", header, b"body", now_s=1100)
    assert not verify("secret", header, b"other", now_s=1100)
    assert not verify("other", header, b"body", now_s=1100)
    assert not verify("secret", header.replace("t=1000", "t=1001"), b"body", now_s=1100)
    assert not verify("secret", header, b"body", now_s=1301)
    assert not verify("secret", "nonsense", b"body", now_s=1000)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "[::1]",
        "[fd00::1]",
        "[fe80::1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::a00:1]",
        "[2002:a00:1::]",
    ],
)
def test_private_addresses_are_refused(address):
    """Loopback, private, link-local, metadata and multicast addresses are refused, also inside IPv6 forms."""
    with pytest.raises(DestinationRefused, match="has the private address"):
        resolve(f"http://{address}/x", allow_private=False)


def test_a_private_address_can_be_allowed():
    """An operator may mean a receiver in the same network."""
    assert resolve("http://127.0.0.1:8080/x", allow_private=True) == ("127.0.0.1", "127.0.0.1")


def test_one_private_address_among_public_ones_is_enough(monkeypatch):
    """A name that resolves to a public and a private address is refused: either could be used later."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(webhook.socket, "getaddrinfo", lambda *_args, **_kwargs: found)
    with pytest.raises(DestinationRefused, match=r"10\.0\.0\.1"):
        resolve("https://both.example/x", allow_private=False)


def test_the_address_that_was_checked_is_the_one_that_is_used(monkeypatch):
    """The name is resolved once: what is returned to connect to is the checked address, not the name."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))]
    monkeypatch.setattr(webhook.socket, "getaddrinfo", lambda *_args, **_kwargs: found)
    assert resolve("https://fine.example/x", allow_private=False) == ("fine.example", "93.184.216.34")


@pytest.mark.parametrize("url", ["ftp://a.example/x", "file:///etc/passwd", "//a.example", "https://me:pw@a.example/"])
def test_other_urls_are_refused(url):
    """Only http and https, with a host and without a password."""
    with pytest.raises(DestinationRefused):
        resolve(url, allow_private=True)


def test_a_name_that_cannot_be_resolved_is_tried_again(monkeypatch):
    """The name service may be down for a moment."""

    def fail(*_args, **_kwargs):
        raise socket.gaierror("no answer")

    monkeypatch.setattr(webhook.socket, "getaddrinfo", fail)
    with pytest.raises(DeliveryFailed, match="cannot be found") as failure:
        resolve("https://a.example", allow_private=False)
    assert failure.value.retryable
