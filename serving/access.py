"""Who may do what: API keys, kept only as hashes and compared in constant time."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from serving.errors import ForbiddenError, UnauthorizedError
from serving.key_settings import Key

Role = Literal["user", "operator"]
COOKIE = "barn_key"
"""The console's cookie: HttpOnly and SameSite=Strict, so that no other site can use it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls; `models` empty means all of them."""

    name: str
    role: Role
    models: tuple[str, ...] = ()

    def require_operator(self) -> None:
        """Let only operators pass.

        Raises:
            ForbiddenError: the caller is a user.
        """
        if self.role != "operator":
            raise ForbiddenError(f"key {self.name!r} is a user's; this needs an operator's key")

    def require_model(self, model: str) -> None:
        """Let only callers pass that may ask this model.

        Raises:
            ForbiddenError: the caller's key does not name it.
        """
        if self.models and model not in self.models:
            raise ForbiddenError(
                f"key {self.name!r} may not ask {model!r}; it may ask {', '.join(self.models)}"
            )


LOCAL = Caller("local", "operator")
"""Everybody, where no key is configured: the service listens on loopback only."""


class Keyring:
    """The keys that open this service."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = tuple(keys)

    def keep(self, keys: Sequence[Key]) -> None:
        """Know these keys from now on, and no others."""
        self._keys = tuple(keys)

    @property
    def locked(self) -> bool:
        """Whether there is any key: without one everybody who reaches the service is let in."""
        return bool(self._keys)

    def caller(self, authorization: str | None, cookie: str | None = None) -> Caller:
        """Identify a caller by the `Authorization` header, or by the console's cookie.

        Raises:
            UnauthorizedError: there are keys, and this is none of them.
        """
        if not self._keys:
            return LOCAL
        given = authorization or (f"Bearer {cookie}" if cookie else "")
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthorizedError("send your API key as `Authorization: Bearer …`")
        digest = hashed(token.strip())
        # every key is compared, so that the time tells nothing
        matches = [key for key in self._keys if hmac.compare_digest(key.sha256, digest)]
        if not matches:
            raise UnauthorizedError("this API key is not known here")
        return Caller(matches[0].name, matches[0].role, matches[0].models)

    def of(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Caller:
        """Identify the caller of a request; see `caller`."""
        return self.caller(headers.get("authorization"), cookies.get(COOKIE))


def hashed(token: str) -> str:
    """SHA-256 of a key, in hex: what the configuration holds."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def new_key() -> str:
    """Make a key that nobody can guess (256 bits)."""
    return "barn-" + secrets.token_urlsafe(32)
