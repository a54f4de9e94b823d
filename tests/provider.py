"""An OpenID provider of this process: discovery, keys that change, codes worth something once, tokens really signed."""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters, RSAKey

from engine import clock

CLIENT, SECRET = "onboarding", "a secret for tests only"
Key = RSAKey | ECKey


def new_key(kind: str = "RSA") -> Key:
    settings: KeyParameters = {"kid": secrets.token_hex(4), "use": "sig"}
    return RSAKey.generate_key(2048, settings) if kind == "RSA" else ECKey.generate_key("P-256", settings)


def signed(key: Key, claims: dict[str, Any]) -> str:
    alg = "RS256" if isinstance(key, RSAKey) else "ES256"
    return jwt.encode({"alg": alg, "kid": key.kid}, claims, key, algorithms=[alg])


@dataclass
class TestProvider:
    """`sign` makes a token of claims; a test replaces it, or changes the claims, to send something wrong."""

    __test__ = False

    port: int
    key: Key = field(default_factory=new_key)  # signs
    published: list[Key] = field(default_factory=list)
    subject: str = "248289761001"
    username: str = ""
    changes: dict[str, Any] = field(default_factory=dict)  # None: left out
    sign: Callable[[Key, dict[str, Any]], str] = signed
    status: int = 200
    codes: dict[str, dict[str, str]] = field(default_factory=dict)  # what was asked for with each

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rotate(self, kind: str = "RSA") -> None:
        self.key = new_key(kind)
        self.published = [self.key]

    def grant(self, address: str) -> str:
        """Where the browser is sent back to, after somebody has logged in at `address`."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_hex()
        self.codes[code] = asked
        return asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]})

    def logout_token(self, **changes: Any) -> str:
        """Says that the person has logged out; a change to None leaves a claim out."""
        moment = int(clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": moment,
            "exp": moment + 120,
            "jti": secrets.token_hex(),
            "sub": self.subject,
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        } | changes
        return self.sign(self.key, {name: value for name, value in claims.items() if value is not None})

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            return None
        if base64.urlsafe_b64encode(challenge).decode().rstrip("=") != asked["code_challenge"]:
            return None
        moment = int(clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT,
            "nonce": asked["nonce"],
            "iat": moment,
            "exp": moment + 300,
            "preferred_username": self.username,
            "auth_time": moment if asked.get("max_age") == "0" else moment - 3600,
        } | self.changes
        token = self.sign(self.key, {name: value for name, value in claims.items() if value is not None})
        return {"access_token": secrets.token_hex(), "token_type": "Bearer", "expires_in": 300, "id_token": token}


@contextmanager
def running_provider() -> Iterator[TestProvider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/authorize"):  # whoever comes is somebody it knows
                self.send_response(302)
                self.send_header("Location", provider.grant(self.path))
                self.end_headers()
                return
            metadata = {
                "issuer": provider.issuer,
                "authorization_endpoint": provider.issuer + "/authorize",
                "token_endpoint": provider.issuer + "/token",
                "jwks_uri": provider.issuer + "/keys",
                "end_session_endpoint": provider.issuer + "/out",
                "backchannel_logout_supported": True,
            }
            keys = {"keys": [key.as_dict(private=False) for key in provider.published]}
            answers: dict[str, dict[str, Any]] = {"/.well-known/openid-configuration": metadata, "/keys": keys}
            self._answer(answers[self.path])

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            granted = provider.token({name: values[0] for name, values in parse_qs(body).items()})
            if self.headers["Authorization"] != basic or granted is None:
                self._answer({"error": "invalid_grant"}, 400)
            else:
                self._answer(granted)

        def _answer(self, content: dict[str, Any], status: int = 200) -> None:
            body = json.dumps(content).encode()
            self.send_response(status if provider.status == 200 else provider.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = TestProvider(server.server_port)
    provider.published = [provider.key]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
