"""Who is asking: keys, the project each stands for, and what its role may do."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from fastapi import Request

from loopwatch_collector.errors import Forbidden, Unauthenticated
from loopwatch_collector.key_use import KeyUse
from loopwatch_collector.settings import Key

DEFAULT_PROJECT: Final = "default"


@dataclass(frozen=True, slots=True)
class Principal:
    """The one who asks.

    Attributes:
        project: whose data it is; from the key, never from the body.
        role: ingest, read or admin.
        use: the account of the key.
    """

    project: str
    role: str
    use: KeyUse = field(default_factory=KeyUse, compare=False, repr=False)


class KnownKey(NamedTuple):
    """A key, and who asks with it."""

    secret: str
    principal: Principal


class Keyring:
    """The known keys.

    Args:
        keys: the entries of LOOPWATCH_KEYS; none at all means that everybody is the admin of `default`.

    Attributes:
        known: the keys in their order, with the account of each.
        unknown: the account of those who came with no key, or with one that is not known.
    """

    def __init__(self, keys: Iterable[Key]) -> None:
        self.known = tuple(KnownKey(key.secret, Principal(key.project, key.role)) for key in keys)
        self.unknown = KeyUse()
        # Looked up by digest: the time an attempt takes says nothing about how much of a key it got right.
        self._principals = {_digest(secret): principal for secret, principal in self.known}

    @property
    def is_open(self) -> bool:
        """Whether there are no keys, so that everybody who can reach the port may do everything."""
        return not self._principals

    def authenticate(self, authorization: str | None) -> Principal:
        """Tells who is asking.

        Args:
            authorization: the header: `Bearer KEY`, or `Basic` with the key as password or as user name.

        Returns:
            The key's project and role.

        Raises:
            Unauthenticated: there is no key, or it is not known.
        """
        if not self._principals:
            return Principal(DEFAULT_PROJECT, "admin")
        for secret in _secrets(authorization or ""):
            principal = self._principals.get(_digest(secret))
            if principal is not None:
                principal.use.request()
                return principal
        self.unknown.request()
        raise Unauthenticated("this collector wants a key it knows: send the header 'Authorization: Bearer KEY'")


def require(*roles: str) -> Callable[[Request], Principal]:
    """A FastAPI dependency that lets only some roles and admins pass.

    Args:
        roles: ingest, read or admin; any of them will do.

    Returns:
        A function from the request to who is asking.
    """

    def principal_of(request: Request) -> Principal:
        keyring: Keyring = request.app.state.keyring
        if keyring.is_open:
            _refuse_rebound_name(request)
        principal = keyring.authenticate(request.headers.get("authorization"))
        request.state.key_use = principal.use  # for those who answer: what is refused is counted there
        return permit(principal, *roles)

    return principal_of


def require_to_change(*roles: str) -> Callable[[Request], Principal]:
    """The same for routes that change data: they also refuse a browser that another site sent here.

    Args:
        roles: ingest, read or admin; any of them will do.

    Returns:
        A function from the request to who is asking.
    """
    principal_of = require(*roles)

    def own_page_or_program(request: Request) -> Principal:
        if _is_from_another_site(request):
            raise Forbidden("this route changes data and is not for pages of other sites")
        return principal_of(request)

    return own_page_or_program


def permit(principal: Principal, *roles: str) -> Principal:
    """Passes a principal on if its role reaches.

    Raises:
        Forbidden: it does not.
    """
    if principal.role not in {*roles, "admin"}:
        needed = " or ".join((*(role for role in roles if role != "admin"), "admin"))
        raise Forbidden(f"this key has the role {principal.role}; the request needs {needed}")
    return principal


def _is_from_another_site(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"cross-site", "same-site"}
    origin = request.headers.get("origin")  # of browsers that do not send the other
    return origin is not None and origin.rpartition("//")[2] != request.headers.get("host")


def _refuse_rebound_name(request: Request) -> None:
    """Without keys the browser's own rules are all that keeps a foreign page out; a name it controls evades them.

    Raises:
        Forbidden: the request names a host that is not this machine.
    """
    name = _host_name(request.headers.get("host", "localhost"))
    if not is_this_machine(name) and name != request.app.state.settings.host.lower():
        raise Forbidden(
            f"without keys this collector answers only to localhost, not to '{name[:100]}'; set LOOPWATCH_KEYS"
        )


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # half an IPv6 address
        return host


def is_this_machine(name: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _secrets(authorization: str) -> list[str]:
    scheme, _, credentials = authorization.partition(" ")
    credentials = credentials.strip()
    if scheme.lower() == "bearer" and credentials:
        return [credentials]
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return []
        return [secret for secret in (password, user) if secret]
    return []
