"""A provider of OpenID Connect on a free port of the loopback: discovery, authorize, token, keys, signing out.

It keeps to the rules: a code is good once, for its client, address to come back to and verifier. `spoils` names what it
then does wrong on purpose.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from emcheck.service.http import QuietServer, listen

CLIENT, SECRET = "emcheck", "a secret & of ours"


class Provider:
    """`people` are claims by name; `spoils` is a word of `SPOILS`, or nothing."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.spoils = ""
        self.people: dict[str, dict[str, Any]] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.key = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig", "alg": "ES256"})
        self.foreign = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig", "alg": "ES256"})
        self.issuer = ""
        self.secret: str | None = SECRET
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/authorize", self.authorize),
                Route("/in", self.let_in),
                Route("/token", self.token, methods=["POST"]),
                Route("/keys", self.keys),
                Route("/out", self.out),
            ]
        )

    async def discovery(self, request: Request) -> Response:
        self.asked.append("discovery")
        if self.spoils == "down":
            return Response("busy", status_code=503)
        if self.spoils == "not json":
            return Response("<html>")
        issuer = "https://other.example" if self.spoils == "other issuer" else self.issuer
        scheme = "ftp://x" if self.spoils == "odd address" else self.issuer
        return JSONResponse({
            "issuer": issuer, "authorization_endpoint": f"{scheme}/authorize", "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys", "end_session_endpoint": f"{self.issuer}/out",
            "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
        })  # fmt: skip

    async def authorize(self, request: Request) -> Response:
        """Whoever is known here, as links: a click is the sign-in."""
        query = dict(request.query_params)
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        links = [f'<p><a href="/in?{urlencode(query | {"as": name})}">{name}</a></p>' for name in self.people]
        no = f'<p><a href="/in?{urlencode(query)}">No</a></p>'
        return HTMLResponse(f"<!doctype html><title>Provider</title><h1>Who are you?</h1>{''.join(links)}{no}")

    async def let_in(self, request: Request) -> Response:
        query = dict(request.query_params)
        answer = {"state": "guessed" if self.spoils == "state" else query["state"]}
        if "as" in query:
            answer["code"] = secrets.token_urlsafe(16)
            answer["iss"] = "https://other.example" if self.spoils == "iss of the answer" else self.issuer
            self.codes[answer["code"]] = query
        else:
            answer["error"] = "access_denied"
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(answer)}", status_code=303)

    async def token(self, request: Request) -> Response:
        form = await request.form()
        given = str(form.get("code"))
        code = self.codes.pop(given, None)
        if code is None or self.spoils == "code":
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        if self.secret is not None:
            basic = base64.b64encode(f"{CLIENT}:{self.secret}".encode()).decode()
            if request.headers.get("authorization") != f"Basic {basic}":
                return JSONResponse({"error": "invalid_client"}, status_code=401)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
        assert challenge.decode().rstrip("=") == code["code_challenge"]
        assert form["redirect_uri"] == code["redirect_uri"]
        assert form["grant_type"] == "authorization_code"
        access = secrets.token_urlsafe(16)
        return JSONResponse({"access_token": access, "token_type": "Bearer", "id_token": self.id_token(code, access)})

    def id_token(self, code: dict[str, str], access: str) -> str:
        now, spoils = self.now() // 1000, self.spoils
        half = base64.urlsafe_b64encode(hashlib.sha256(access.encode()).digest()[:16]).decode().rstrip("=")
        claims: dict[str, Any] = {
            "iss": "https://other.example" if spoils == "issuer" else self.issuer,
            "aud": "somebody-else" if spoils == "audience" else [CLIENT, "another"] if spoils == "many" else CLIENT,
            "exp": now - 61 if spoils == "expired" else now + 300, "iat": now + 120 if spoils == "future" else now,
            "nonce": "another" if spoils == "nonce" else code["nonce"],
            "at_hash": "AAAA" if spoils == "access token" else half, **self.people[code["as"]],
        }  # fmt: skip
        for missing in ("nonce", "sub", "exp", "aud"):
            if spoils == f"no {missing}":
                del claims[missing]
        if spoils == "none":
            return f"{_part(_json({'alg': 'none'}))}.{_part(_json(claims))}."
        if spoils == "secret":
            shared = OctKey.import_key(SECRET.ljust(32, "x"))
            return jwt.encode({"alg": "HS256", "kid": "k1"}, claims, shared, algorithms=["HS256"])
        if spoils == "rubbish":
            return "a.b.c"
        key = self.foreign if spoils == "key" else self.key
        return jwt.encode({"alg": "ES256", "kid": "k9" if spoils == "kid" else "k1"}, claims, key)

    async def keys(self, request: Request) -> Response:
        self.asked.append("keys")
        others = RSAKey.generate_key(2048, {"kid": "k0", "use": "sig"})
        return JSONResponse(KeySet([others, self.key]).as_dict(private=False))

    async def out(self, request: Request) -> Response:
        assert request.query_params["client_id"] == CLIENT
        return RedirectResponse(request.query_params["post_logout_redirect_uri"], status_code=303)


SPOILS = (
    "nonce", "no nonce", "expired", "no exp", "future", "audience", "no aud", "many", "issuer", "no sub", "key", "kid",
    "none", "secret", "rubbish", "access token", "state", "iss of the answer", "code",
)  # fmt: skip


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _json(claims: dict[str, Any]) -> bytes:
    return json.dumps(claims).encode()


@contextlib.asynccontextmanager
async def providing(now: Callable[[], int]) -> AsyncIterator[Provider]:
    """One on a free port, for the length of a block."""
    provider, listening = Provider(now), listen("127.0.0.1", 0)
    provider.issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = QuietServer(
        uvicorn.Config(provider.app, log_level="error", lifespan="off", access_log=False, timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield provider
    finally:
        server.should_exit = True
        await serving
        listening.close()
