"""Sign-in through the school's own identity provider: OpenID Connect Core 1.0, authorization code with PKCE.

The only outbound calls of the service: to the configured issuer and to the addresses its discovery document names.
"""

from __future__ import annotations

import hmac
import math
import time
from dataclasses import dataclass
from importlib.util import find_spec
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from recommender.errors import GrowthError, SettingsError
from service.access.provider_state import ProviderState
from service.settings import Settings, is_loopback

ANSWER_PATH = "/sign-in/provider/answer"
DISCOVERY = "/.well-known/openid-configuration"
SCOPE = "openid email"
PACKAGES = ("authlib", "httpx", "joserfc")
# Signatures that only the provider can make: no "none", nothing that is made with a shared secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
SECONDS_TO_ANSWER = 5.0
DISCOVERY_KEPT_SECONDS = 3_600.0
# While the provider is away nobody waits for it again: each wait would hold one of few threads.
AWAY_SECONDS = 10.0
# Between the provider's clock and ours.
LEEWAY_SECONDS = 60


class ProviderError(GrowthError):
    """The provider cannot be reached, or what came from it does not prove who somebody is."""


class ProviderUnavailableError(ProviderError):
    """The provider does not answer, or not as the standard says."""


@dataclass(frozen=True)
class ProviderPerson:
    """Whom the provider vouches for; ``verified_email`` is None when it does not vouch for the address."""

    subject: str
    verified_email: str | None


class Provider:
    """One provider; its discovery document is kept for an hour.

    Raises SettingsError when the packages for it are not installed.
    """

    def __init__(self, issuer: str, client_id: str, client_secret: str, redirect_uri: str) -> None:
        if not all(find_spec(package) for package in PACKAGES):
            raise SettingsError(
                "GROWTH_OIDC_ISSUER and no packages for it",
                wanted=", ".join(PACKAGES),
                way_out="pip install 'growth-recommender[oidc]'",
            )
        import httpx

        self.issuer = issuer
        self.client_id = client_id
        self.client_secret = client_secret
        self.redirect_uri = redirect_uri
        # Once: reading the certificate authorities takes longer than a call.
        self._tls = httpx.create_ssl_context()
        self._lock = Lock()
        self._document: dict[str, Any] = {}
        self._read_at = self._away_at = -math.inf

    def address(self, state: ProviderState) -> str:
        """Where to send the browser. Raises ProviderUnavailableError."""
        document = self._discover()
        with self._client() as client:
            address, _ = client.create_authorization_url(
                document["authorization_endpoint"],
                state=state.state,
                nonce=state.nonce,
                code_verifier=state.verifier,
            )
        return str(address)

    def person(self, state: ProviderState, sent_state: str, code: str) -> ProviderPerson:
        """Whom the provider's answer is about.

        Raises ProviderError when the answer is not to this sign-in, or its token is not signed by the provider for this
        service and this moment; ProviderUnavailableError when the provider does not answer.
        """
        if not hmac.compare_digest(sent_state.encode(errors="replace"), state.state.encode()):
            raise ProviderError("an answer to another sign-in", wanted="the answer to this one")
        document = self._discover()
        claims = self._claims(self._token(document, state, code), self._get(document["jwks_uri"]), state.nonce)
        email = claims.get("email")
        is_verified = claims.get("email_verified") is True and isinstance(email, str)
        return ProviderPerson(claims["sub"], email if is_verified else None)

    def _token(self, document: dict[str, Any], state: ProviderState, code: str) -> str:
        import httpx
        from authlib.integrations.base_client import OAuthError

        try:
            with self._client() as client:
                answer = client.fetch_token(
                    document["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=state.verifier,
                )
        except OAuthError:
            raise ProviderError("a code the provider does not take", wanted="a fresh one") from None
        except (httpx.HTTPError, ValueError):
            raise _unavailable() from None
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderError("an answer without an ID token", wanted="one")
        return token

    def _claims(self, token: str, keys: Any, nonce: str) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=list(ALGORITHMS)).claims
            rules.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError):
            raise _bad_token() from None
        # OpenID Connect Core 3.1.3.7: a token for several parties names the one it was made for.
        if claims.get("azp", self.client_id) != self.client_id or not isinstance(claims["sub"], str):
            raise _bad_token()
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims:
            raise _bad_token()
        return dict(claims)

    def _discover(self) -> dict[str, Any]:
        with self._lock:
            now = time.monotonic()
            if now - self._away_at < AWAY_SECONDS:
                raise _unavailable()
            if now - self._read_at > DISCOVERY_KEPT_SECONDS:
                self._away_at = now
                self._document, self._read_at = self._checked(self._get(self.issuer.rstrip("/") + DISCOVERY)), now
                self._away_at = -math.inf
            return self._document

    def _checked(self, document: dict[str, Any]) -> dict[str, Any]:
        called = [document.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        if document.get("issuer") != self.issuer or not all(map(self._may_call, called)):
            raise _unavailable()
        return document

    def _may_call(self, address: object) -> bool:
        """Whether an address of the discovery document is safe: https, or this machine when the issuer is on it."""
        if not isinstance(address, str):
            return False
        parts = urlsplit(address)
        local = is_loopback(parts.hostname or "") and is_loopback(urlsplit(self.issuer).hostname or "")
        return parts.scheme == "https" or (parts.scheme == "http" and local)

    def _get(self, address: str) -> dict[str, Any]:
        import httpx

        try:
            # Redirects are not followed: the answer is at the address the issuer names.
            answer = httpx.get(address, timeout=SECONDS_TO_ANSWER, verify=self._tls)
            document = answer.json() if answer.status_code == 200 else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            raise _unavailable() from None
        if not isinstance(document, dict):
            raise _unavailable()
        return document

    def _client(self) -> Any:
        from authlib.integrations.httpx_client import OAuth2Client

        return OAuth2Client(
            self.client_id,
            self.client_secret,
            scope=SCOPE,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            timeout=SECONDS_TO_ANSWER,
            verify=self._tls,
        )


def provider_of(settings: Settings) -> Provider | None:
    """The configured provider, None when there is none."""
    if not (settings.oidc_issuer and settings.oidc_client_id and settings.oidc_client_secret):
        return None
    secret = settings.oidc_client_secret.get_secret_value()
    return Provider(settings.oidc_issuer, settings.oidc_client_id, secret, settings.base_url + ANSWER_PATH)


def _unavailable() -> ProviderUnavailableError:
    return ProviderUnavailableError(
        "an identity provider that does not answer as it should", wanted="OpenID Connect discovery, tokens and keys"
    )


def _bad_token() -> ProviderError:
    return ProviderError("an ID token that proves nothing", wanted="one signed by the provider for this sign-in")
