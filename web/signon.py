"""Signing on through an OpenID provider: OpenID Connect Core 1.0, the authorization code flow with PKCE (RFC 7636).

Authlib and joserfc do the protocol; here stands what is asked of them. What a provider sends is never logged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
from authlib.common.urls import add_params_to_uri
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.base import OAuth2Error
from authlib.oidc.core import CodeIDToken
from flask import Flask
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from engine.errors import Invalid, Unavailable
from engine.people.links import Place, Vouched
from engine.text import Text
from web.settings import Settings, SignOn

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")  # no secret is a key
LEEWAY = 60  # seconds the two clocks may differ
_SIGNED_OFF = "http://schemas.openid.net/event/backchannel-logout"
_WAITS = 5  # seconds for an answer of the provider
_KNOWN_FOR = timedelta(minutes=10)


class SignOnRefused(Invalid):
    sentence = Text(
        "统一身份认证没有成功：认证结果无效、已过期或已被取消。请重新点击统一身份认证登录，或用密码登录；如一再出现，请联系平台运维人员。",
        "Signing on didn't succeed: what came back is invalid, too old, or was cancelled. Sign on again, or log in "
        "with a password; if it happens again and again, tell the platform's operators.",
    )


class ProviderAway(Unavailable):
    sentence = Text(
        "暂时连不上统一身份认证服务，请过一会儿再试，或用密码登录。",
        "The sign-on service can't be reached at the moment. Try again in a while, or log in with a password.",
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sign-on came to."""

    person: Vouched
    two_factors: bool  # by the provider's word
    sid: str  # what it calls its own session; empty where it doesn't say


class Provider:
    def __init__(self, configured: SignOn, back: str) -> None:
        self.configured = configured
        self._back = back
        self._metadata: tuple[datetime, dict[str, Any]] | None = None

    def address(self, *, state: str, nonce: str, verifier: str, again: bool, now: datetime) -> str:
        """Where to send the browser; `again`: to prove it even to a provider that knows it. Raises ProviderAway."""
        endpoint = self._discovered(now)["authorization_endpoint"]
        asked = {"prompt": "login", "max_age": "0"} if again else {}
        with self._client() as client:
            address, _ = client.create_authorization_url(
                endpoint, state=state, nonce=nonce, code_verifier=verifier, **asked
            )
        return str(address)

    def answer(self, code: str, *, nonce: str, verifier: str, proven_since: datetime | None, now: datetime) -> Answer:
        """Who came back with this code, having proven it since a moment, if one is said. Raises SignOnRefused,
        ProviderAway."""
        metadata = self._discovered(now)
        try:
            with self._client() as client:
                answer = client.fetch_token(
                    metadata["token_endpoint"], code=code, code_verifier=verifier, allow_redirects=False
                )
            token = answer["id_token"]
        except requests.RequestException:
            raise ProviderAway() from None
        except (OAuthError, OAuth2Error, KeyError, TypeError, ValueError):
            raise SignOnRefused() from None
        claims = self._verified(token, answer.get("access_token"), metadata, nonce, now)
        proven_at = claims.get("auth_time")
        if proven_since and not (isinstance(proven_at, int) and proven_at >= proven_since.timestamp() - LEEWAY):
            raise SignOnRefused()
        configured, sid, amr = self.configured, claims.get("sid"), claims.get("amr")
        person = Vouched(
            configured.issuer,
            claims["sub"],
            _text(claims, configured.username_claim) or None,
            _text(claims, configured.name_claim),
            self._place(claims),
        )
        methods = {each for each in amr if isinstance(each, str)} if isinstance(amr, list) else set()
        return Answer(person, bool(methods & configured.second_factor), sid[:255] if isinstance(sid, str) else "")

    def signed_off(self, token: str, now: datetime) -> tuple[str | None, str | None]:
        """Whom (subject), or which of its sessions (sid), the provider has logged out: OpenID Connect Back-Channel
        Logout 1.0, 2.6. Raises SignOnRefused, ProviderAway."""
        claims = self._decoded(token, self._discovered(now)).claims
        subject, sid, events = claims.get("sub"), claims.get("sid"), claims.get("events")
        rules = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self.configured.issuer},
            aud={"essential": True, "value": self.configured.client_id},
            iat={"essential": True},
            exp={"essential": True},
            jti={"essential": True},
        )
        try:
            rules.validate(claims)
        except (JoseError, ValueError, TypeError):
            raise SignOnRefused() from None
        right = isinstance(events, dict) and isinstance(events.get(_SIGNED_OFF), dict) and "nonce" not in claims
        named = [each for each in (subject, sid) if each is not None]
        if not right or not named or not all(isinstance(each, str) and each for each in named):
            raise SignOnRefused()
        return subject, sid

    def way_out(self, then: str, now: datetime) -> str | None:
        """Where the browser ends its session at the provider and comes back from, if it offers that: OpenID Connect
        RP-Initiated Logout 1.0. Raises ProviderAway."""
        endpoint = self._discovered(now).get("end_session_endpoint")
        if not isinstance(endpoint, str):
            return None
        asked = [("client_id", self.configured.client_id), ("post_logout_redirect_uri", then)]
        return str(add_params_to_uri(endpoint, asked))

    def _place(self, claims: Mapping[str, Any]) -> Place | None:
        """Where exactly one role is said, and the organisation."""
        configured = self.configured
        said = _found(claims, configured.role_claim)
        values = {each for each in (said if isinstance(said, list) else [said]) if isinstance(each, str)}
        roles = {configured.roles[value] for value in values & configured.roles.keys()}
        key = _text(claims, configured.organisation_claim)
        return Place(roles.pop(), key) if len(roles) == 1 and key else None

    def _verified(
        self, token: str, access_token: object, metadata: dict[str, Any], nonce: str, now: datetime
    ) -> CodeIDToken:
        configured = self.configured
        signed = self._decoded(token, metadata)
        try:
            expected = {
                "iss": {"essential": True, "value": configured.issuer},
                "aud": {"essential": True, "value": configured.client_id},
            }
            said = {"nonce": nonce, "client_id": configured.client_id, "access_token": access_token}
            claims = CodeIDToken(signed.claims, signed.header, expected, said)
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            raise SignOnRefused() from None
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise SignOnRefused()
        return claims

    def _decoded(self, token: str, metadata: dict[str, Any]) -> jwt.Token:
        """The keys are fetched for every token, so that a provider may change them at any time."""
        published = _fetched(metadata["jwks_uri"])
        try:
            return jwt.decode(token, KeySet.import_key_set(published), algorithms=list(ALGORITHMS))  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            raise SignOnRefused() from None

    def _discovered(self, now: datetime) -> dict[str, Any]:
        """What the provider says about itself. Raises ProviderAway, also where it speaks for another issuer."""
        if self._metadata and now - self._metadata[0] < _KNOWN_FOR:
            return self._metadata[1]
        issuer = self.configured.issuer
        found = _fetched(issuer.rstrip("/") + "/.well-known/openid-configuration")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if found.get("issuer") != issuer or not all(isinstance(found.get(each), str) for each in needed):
            raise ProviderAway()
        self._metadata = now, found
        return found

    def _client(self) -> OAuth2Session:
        return OAuth2Session(
            self.configured.client_id,
            self.configured.client_secret,
            scope=self.configured.scopes,
            redirect_uri=self._back,
            code_challenge_method="S256",
            default_timeout=_WAITS,
        )


def _fetched(address: str) -> dict[str, Any]:
    try:
        answer = requests.get(address, timeout=_WAITS, allow_redirects=False)
        found = answer.json() if answer.status_code == 200 else None
    except (requests.RequestException, ValueError):
        raise ProviderAway() from None
    if not isinstance(found, dict):
        raise ProviderAway()
    return found


def _found(claims: Mapping[str, Any], path: str) -> Any:
    """A claim; a dot leads into one."""
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _text(claims: Mapping[str, Any], path: str) -> str:
    found = _found(claims, path)
    return found.strip() if isinstance(found, str) else ""


def init_app(app: Flask, settings: Settings) -> None:
    signon = settings.signon
    app.extensions["signon"] = Provider(signon, settings.public_url + "/signon/back") if signon else None
    app.jinja_env.globals["signon_label"] = Text(signon.label, signon.label_en) if signon else None
