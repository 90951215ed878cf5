"""A tiny real identity provider on loopback: discovery, keys, codes that work once, PKCE checked, tokens signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

CLIENT_ID = "growth"
CLIENT_SECRET = "a client's secret of some length"
# Made once: each takes a moment.
KEY, ANOTHER_KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"}), RSAKey.generate_key(2048)


class IdentityProvider:
    """``claims`` and ``sign`` are what a test bends; ``asked`` are the paths that were asked for."""

    def __init__(self) -> None:
        self.published: list[Any] = [KEY]
        self.claims: dict[str, Any] = {}
        self.missing: set[str] = set()
        self.sign = self.signed_by_us
        self.discovery: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.issuer = ""

    def authorize(self, address: str) -> tuple[str, str]:
        """What the provider's own page does after somebody signed in there: a code for the request, and its state."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return code, query["state"]

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """A token for a code, once, for the client that knows its secret and the verifier of the challenge."""
        asked = self.codes.pop(form.get("code", ""), None)
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or authorization != f"Basic {basic}"
            or challenge != asked["code_challenge"]
            or form.get("redirect_uri") != asked["redirect_uri"]
        ):
            return None
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": asked["client_id"], "sub": "sub-1", "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "email": "tess@north.example", "email_verified": True,
        } | self.claims  # fmt: skip
        claims = {name: value for name, value in claims.items() if name not in self.missing}
        return {"access_token": "a", "token_type": "Bearer", "id_token": self.sign(claims)}

    def signed_by_us(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, KEY)

    def unsigned(self, claims: dict[str, Any]) -> str:
        parts = ({"alg": "none"}, claims)
        return ".".join([*(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts), ""])

    def signed_by_another(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, ANOTHER_KEY)

    def signed_with_the_shared_secret(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET))

    def signed_with_the_public_key_as_a_secret(self, claims: dict[str, Any]) -> str:
        public = KEY.as_pem(private=False)
        head, body = (
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
            for part in ({"alg": "HS256", "kid": "k1"}, claims)
        )
        mac = hmac.new(public, f"{head}.{body}".encode(), hashlib.sha256).digest()
        return f"{head}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    def change_keys(self) -> None:
        """From now on another key, of another kind."""
        key = ECKey.generate_key("P-256", {"kid": "k2", "use": "sig"})
        self.published = [key]
        self.sign = lambda claims: jwt.encode({"alg": "ES256", "kid": "k2"}, claims, key)

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        } | self.discovery


@contextmanager
def running_provider() -> Iterator[IdentityProvider]:
    provider = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            if self.path == "/.well-known/openid-configuration":
                self._answer(200, provider.document())
            elif self.path == "/keys":
                self._answer(200, KeySet(provider.published).as_dict(private=False))
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            content = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(content).items()}
            token = provider.token(form, self.headers.get("Authorization", ""))
            self._answer(*((200, token) if token else (400, {"error": "invalid_grant"})))

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield provider
    server.shutdown()
    server.server_close()
    thread.join()
