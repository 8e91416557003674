"""Signing in elsewhere: OpenID Connect, the authorization code flow with PKCE (OIDC Core 1.0, RFC 7636, RFC 9700).

1. What belongs to one way out and back (state, nonce, the verifier of PKCE) goes with the browser, sealed in a cookie
   that is good for 10 min and under a key of this start. A way back without its cookie leads nowhere.
2. The provider's document must name the provider that was configured, and addresses reached as it is.
3. An id token is believed where its signature is by a key of the provider, of an asymmetric kind, and issuer, audience,
   times, nonce and authorised party are right. The clock may differ by a minute.
4. Whoever it is is known again by issuer and `sub`, never by a name, which may be given to somebody else.
5. A role comes from groups: the first in the configuration that the token lists. Without one nobody is let in.
"""

import hmac
import json
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpx
import structlog
from authlib.common.security import generate_token
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from emcheck.clock import Clock
from emcheck.domain.ids import Ms
from emcheck.domain.instants import MINUTE
from emcheck.domain.rights import Role
from emcheck.settings import OidcSettings, SettingsError
from emcheck.web.people.sealing import Seal

log = structlog.get_logger("emcheck.web")
BACK = "/sign-in/elsewhere/back"
_LASTS: Ms = 10 * MINUTE
_KNOWN_FOR: Ms = 10 * MINUTE
_LEEWAY_S = 60
_TIMEOUT_S = 10.0
_KINDS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


class Person(NamedTuple):
    """Whom the provider knows: by `identity` for good, by `name` for people."""

    identity: str
    name: str
    role: Role | None
    groups: list[str]


class ElsewhereError(Exception):
    """It came to nothing; the words are for whoever tried. `status` is that of the page."""

    def __init__(self, words: str, *, status: int = 403) -> None:
        super().__init__(words)
        self.status = status


class Elsewhere:
    """One provider. `console` is the address at which browsers find us."""

    def __init__(self, settings: OidcSettings, secret: str | None, clock: Clock, *, console: str) -> None:
        self.name = settings.name
        self._settings, self._clock, self._back = settings, clock, console.rstrip("/") + BACK
        self._seal = Seal()
        self._secret = secret
        self._document: dict[str, Any] = {}
        self._document_at: Ms = 0

    async def begin(self, onward: str) -> tuple[str, str]:
        """Where the browser goes, and the cookie that it takes along."""
        document = await self._discovered()
        way = {
            "state": generate_token(43), "nonce": generate_token(43), "verifier": generate_token(64),
            "onward": onward, "at": self._clock.now(),
        }  # fmt: skip
        address = prepare_grant_uri(
            document["authorization_endpoint"], client_id=self._settings.client_id, response_type="code",
            redirect_uri=self._back, scope=self._settings.scopes, state=way["state"], nonce=way["nonce"],
            code_challenge=create_s256_code_challenge(way["verifier"]), code_challenge_method="S256",
        )  # fmt: skip
        return str(address), self._seal.close(json.dumps(way), "way")

    async def end(self, cookie: str, given: dict[str, str]) -> tuple[Person, str]:
        """Who came back with what the provider gave, and the page that was asked for at first."""
        opened = self._seal.open(cookie, "way")
        way: dict[str, Any] = {"at": 0, "state": ""} if opened is None else json.loads(opened)
        late = self._clock.now() - way["at"] >= _LASTS
        if late or not hmac.compare_digest(way["state"].encode(), given.get("state", "").encode("utf-8", "replace")):
            raise ElsewhereError("This was not begun in this browser, or too long ago. Begin again.")
        if (error := given.get("error")) is not None or not given.get("code"):
            log.warning("web.elsewhere_refused", error=str(error)[:80])
            raise ElsewhereError(f"{self._settings.issuer} did not let you in: {str(error)[:80]}.")
        document = await self._discovered()
        if given.get("iss", self._settings.issuer) != self._settings.issuer:
            raise ElsewhereError("The answer is of another provider. Begin again.")
        tokens = await self._tokens(document, given["code"], way["verifier"])
        claims = self._believed(tokens, await self._asked("GET", document["jwks_uri"]), way["nonce"])
        return self._person(claims), str(way["onward"])

    async def out(self) -> str | None:
        """Where the provider's own sign-in is ended; None where it has no such page."""
        page = (await self._discovered()).get("end_session_endpoint")
        if page is None:
            return None
        back = self._back.removesuffix(BACK) + "/sign-in"
        asked = urlencode({"client_id": self._settings.client_id, "post_logout_redirect_uri": back})
        return f"{page}{'&' if '?' in page else '?'}{asked}"

    async def _discovered(self) -> dict[str, Any]:
        """The provider's document (2), asked again after a while."""
        now, issuer = self._clock.now(), str(self._settings.issuer)
        if self._document and now - self._document_at < _KNOWN_FOR:
            return self._document
        found = await self._asked("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        addresses = [found.get(key) for key in (*wanted, "end_session_endpoint") if key in found or key in wanted]
        scheme = urlsplit(issuer).scheme
        if found.get("issuer") != issuer or not all(
            isinstance(each, str) and urlsplit(each).scheme in ("https", scheme) for each in addresses
        ):
            raise self._unusable("discovery", "it names another issuer, or addresses that cannot be used")
        self._document, self._document_at = found, now
        return found

    async def _tokens(self, document: dict[str, Any], code: str, verifier: str) -> dict[str, Any]:
        body = prepare_token_request("authorization_code", code=code, redirect_uri=self._back, code_verifier=verifier)
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        auth = ClientAuth(self._settings.client_id, self._secret, method if self._secret else "none")
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        address, headers, body = auth.prepare("POST", document["token_endpoint"], headers, body)
        return await self._asked("POST", str(address), headers=headers, content=body)

    async def _asked(self, method: str, address: str, **said: Any) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_S) as client:
                answer = await client.request(method, address, **said)
                answer.raise_for_status()
                found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise self._unusable(urlsplit(address).path, type(error).__name__) from None
        if not isinstance(found, dict):
            raise self._unusable(urlsplit(address).path, "no JSON object")
        return found

    def _unusable(self, what: str, why: str) -> ElsewhereError:
        log.error("web.elsewhere_failed", issuer=self._settings.issuer, what=what, error=why)
        words = f"{self._settings.issuer} does not answer as it should; the log says what. Try again shortly."
        return ElsewhereError(words, status=502)

    def _believed(self, tokens: dict[str, Any], keys: Any, nonce: str) -> dict[str, Any]:
        """The claims of an id token (3)."""
        try:
            token = jwt.decode(str(tokens.get("id_token")), KeySet.import_key_set(keys), algorithms=_KINDS)
            claims = CodeIDToken(
                token.claims, token.header,
                {"iss": {"essential": True, "value": self._settings.issuer},
                 "aud": {"essential": True, "value": self._settings.client_id}, "sub": {"essential": True}},
                {"nonce": nonce, "client_id": self._settings.client_id, "access_token": tokens.get("access_token")},
            )  # fmt: skip
            claims.validate(now=self._clock.now() // 1000, leeway=_LEEWAY_S)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            log.error(
                "web.elsewhere_not_believed", issuer=self._settings.issuer, error=f"{type(error).__name__}: {error}"
            )
            words = "What the provider said of you cannot be believed; the log says why. Nobody was signed in."
            raise ElsewhereError(words) from None
        return dict(claims)

    def _person(self, claims: dict[str, Any]) -> Person:
        name, groups = claims.get(self._settings.name_claim), claims.get(self._settings.groups_claim, [])
        listed = [each for each in groups if isinstance(each, str)] if isinstance(groups, list) else [str(groups)]
        role = next((Role(role) for group, role in self._settings.roles.items() if group in listed), None)
        identity = f"{self._settings.issuer} {claims['sub']}"
        return Person(identity, name.strip().lower() if isinstance(name, str) else "", role, listed)


def secret_of(settings: OidcSettings) -> str | None:
    """What we prove to the provider who we are with; SettingsError where its file cannot be read."""
    if settings.client_secret is not None:
        return settings.client_secret.get_secret_value()
    if (path := settings.client_secret_file) is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"web.oidc.client_secret_file: {path}: {error}; name a file of one line that this service can read"
        ) from None
