"""Keys, projects and roles."""

import base64

import pytest

from loopwatch_collector.auth import Keyring, Principal, is_this_machine, permit
from loopwatch_collector.errors import Forbidden, Unauthenticated
from loopwatch_collector.settings import Key

RING = Keyring([Key("shop", "ingest", "k1"), Key("bank", "admin", "k2")])


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("header", ["Bearer k1", "bearer k1", _basic("anything:k1"), _basic("k1:"), _basic("k1:x")])
def test_key_is_taken_from_bearer_and_basic(header: str) -> None:
    """The key may come as Bearer, or as user name or password of Basic, and decides the project."""
    assert RING.authenticate(header) == Principal("shop", "ingest")


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer k3", "k1", "Basic !!!", "Basic k1", "Digest k1", _basic("k3:k3")]
)
def test_anything_else_is_refused(header: str | None) -> None:
    """No key, an unknown one or a malformed header is not authenticated."""
    with pytest.raises(Unauthenticated):
        RING.authenticate(header)


def test_without_keys_everybody_is_admin_of_default() -> None:
    """A collector without keys has one project."""
    assert Keyring([]).authenticate(None) == Principal("default", "admin")


def test_roles_reach_their_own_routes_and_admins_all() -> None:
    """A role passes where it is asked for; admin passes everywhere; others do not."""
    assert permit(Principal("p", "read"), "read").role == "read"
    assert permit(Principal("p", "admin"), "ingest").role == "admin"
    with pytest.raises(Forbidden):
        permit(Principal("p", "ingest"), "read")


@pytest.mark.parametrize("name", ["localhost", "app.localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_names_of_this_machine(name: str) -> None:
    """Loopback names and addresses can only mean this machine."""
    assert is_this_machine(name)


@pytest.mark.parametrize(
    "name", ["", "evil.example", "localhost.evil.example", "10.0.0.1", "127.0.0.1.evil.example", "["]
)
def test_names_that_a_page_can_bend(name: str) -> None:
    """Any other name may resolve to this machine because somebody wants it to."""
    assert not is_this_machine(name)
