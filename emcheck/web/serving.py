"""The console beside the service: its parts put together, and a server on its own address for as long as that runs."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
import uvicorn

from emcheck.clock import Clock, SystemClock
from emcheck.desk import Account, Desk
from emcheck.domain.ids import Ms
from emcheck.domain.rights import Role
from emcheck.service.app import Beside, Service
from emcheck.service.http import QuietServer, listen
from emcheck.service.showing import Known
from emcheck.settings import WebSettings
from emcheck.web.alerts.live import Live
from emcheck.web.app import console_app
from emcheck.web.parts import Parts
from emcheck.web.people.elsewhere import Elsewhere, secret_of
from emcheck.web.people.sealing import KeyFile
from emcheck.web.people.second_factor import SecondFactors
from emcheck.web.people.signing_in import SigningIn, new_link

log = structlog.get_logger("emcheck.web")
FIRST = "administrator"
"""The account that a first start makes. It has no password until its link was used."""


def console_of(settings: WebSettings, say: Callable[[str], None]) -> Callable[[Desk, Clock], Beside] | None:
    """What `serve` runs beside the service; None where it is off. `say` tells the one-time link of a first start."""
    return console_over(settings, say) if settings.enabled else None


def console_over(settings: WebSettings, say: Callable[[str], None]) -> Callable[[Desk, Clock], Beside]:
    """The same where it is known to be on. SettingsError where a file that is named cannot be used."""
    secret = secret_of(settings.oidc)

    def over(desk: Desk, clock: Clock) -> Beside:
        async def run(service: Service) -> None:
            await _run(settings, secret, desk, clock, service, say)

        return run

    return over


async def _run(
    settings: WebSettings, secret: str | None, desk: Desk, clock: Clock, service: Service, say: Callable[[str], None]
) -> None:
    listening = listen(settings.host, settings.port, section="web")
    try:
        host, port = listening.getsockname()[:2]
        address = settings.url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
        log.info("console.listening", address=address)
        link = await first_link(desk, clock.now())
        parts = parts_over(settings, desk, clock, service)
        if settings.oidc.issuer is not None:
            parts.elsewhere = Elsewhere(settings.oidc, secret, clock, console=address)
        config = uvicorn.Config(
            console_app(parts), log_level="error", access_log=False, lifespan="off", server_header=False,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = QuietServer(config)
        watching = asyncio.create_task(parts.live.run(), name="live")
        greeting = asyncio.create_task(_greet(server, address, link, say), name="greeting")
        try:
            await server.serve(sockets=[listening])
        finally:
            greeting.cancel()
            parts.live.close()
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
    finally:
        listening.close()


async def _greet(server: uvicorn.Server, address: str, link: str | None, say: Callable[[str], None]) -> None:
    """The link of a first start in a frame of its own, once the console answers: log lines go before it."""
    while link is not None and not server.started:
        await asyncio.sleep(0.05)
    if link is not None:
        rule = "-" * 78
        say(f"""
{rule}
Console: the administrator's password is chosen here, once, within 24 h:

{address}/welcome/{link}
{rule}
""")


def parts_over(settings: WebSettings, desk: Desk, clock: Clock, service: Service) -> Parts:
    """The console's parts beside a running service."""

    def known() -> Known | None:
        if not service.loops.health.ready:
            return None
        return Known(service.pipeline.engine, service.pipeline.last_row_of.get)

    return Parts(
        desk=desk,
        clock=clock,
        signing_in=SigningIn(
            desk,
            clock,
            idle_ms=round(settings.idle_min * 60_000),
            absolute_ms=round(settings.absolute_h * 3_600_000),
            factors=SecondFactors(desk, SystemClock(), KeyFile(settings.key_file)),  # the device's clock is real
            factor_roles=settings.factor_roles,
        ),
        live=Live(desk, clock, service.troubles),
        known=known,
        troubles=service.troubles,
        posted=service.loops.look_at_mail,
        is_secure=(settings.url or "").startswith("https://"),
        zone=settings.timezone,
        shift_starts=tuple(sorted(settings.shift_starts.split())),
        photo_bytes_max=settings.photo_kb_max << 10,
        board_every_ms=round(settings.board_every_s * 1000),
    )


async def first_link(desk: Desk, now: Ms) -> str | None:
    """A one-time link for the first account, where nobody can sign in yet nor was invited by somebody; else None."""
    accounts = await desk.accounts()
    if any(account.name != FIRST or account.password is not None for account in accounts):
        return None
    link, hashed, until = new_link(now)
    created = accounts[0].created_at if accounts else now
    await desk.put_account(Account(FIRST, Role.ADMINISTRATOR, created, link_sha256=hashed, link_until=until))
    return link
