"""Who is asking: keys, the project each stands for, and what its role may do."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from fastapi import Request

from loopwatch_collector.errors import Forbidden, Unauthenticated
from loopwatch_collector.settings import Key

DEFAULT_PROJECT: Final = "default"


class Principal(NamedTuple):
    """The one who asks.

    Attributes:
        project: whose data it is; from the key, never from the body.
        role: ingest, read or admin.
    """

    project: str
    role: str


class Keyring:
    """The known keys.

    Args:
        keys: the entries of LOOPWATCH_KEYS; none at all means that everybody is the admin of `default`.
    """

    def __init__(self, keys: Iterable[Key]) -> None:
        # Looked up by digest: the time an attempt takes says nothing about how much of a key it got right.
        self._principals = {_digest(key.secret): Principal(key.project, key.role) for key in keys}

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
                return principal
        raise Unauthenticated("this collector wants a key it knows: send the header 'Authorization: Bearer KEY'")


def require(role: str) -> Callable[[Request], Principal]:
    """A FastAPI dependency that lets only one role and admins pass.

    Args:
        role: ingest, read or admin.

    Returns:
        A function from the request to who is asking.
    """

    def principal_of(request: Request) -> Principal:
        principal = request.app.state.keyring.authenticate(request.headers.get("authorization"))
        return permit(principal, role)

    return principal_of


def require_to_change(role: str) -> Callable[[Request], Principal]:
    """The same for routes that change data: they also refuse a browser that another site sent here.

    Without keys every page a developer has open could otherwise reach the collector on their own machine.

    Args:
        role: ingest, read or admin.

    Returns:
        A function from the request to who is asking.
    """
    principal_of = require(role)

    def own_page_or_program(request: Request) -> Principal:
        if request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
            raise Forbidden("this route changes data and is not for pages of other sites")
        return principal_of(request)

    return own_page_or_program


def permit(principal: Principal, role: str) -> Principal:
    """Passes a principal on if its role reaches.

    Raises:
        Forbidden: it does not.
    """
    if principal.role not in {role, "admin"}:
        raise Forbidden(f"this key has the role {principal.role}; the request needs {role} or admin")
    return principal


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
