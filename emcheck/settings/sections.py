"""Every setting with its unit, default and reason. `config/emcheck.toml` is written from this file.

A field without a default value (None) is off until set. Relative paths are taken from the folder the
service is started in.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from emcheck.domain.rights import Role
from emcheck.domain.written import zone

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


def _http_url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("an address starts with https:// (or http:// inside one machine)")
    return value


def _database_url(value: str) -> str:
    scheme, found, rest = value.partition("://")
    if not found or scheme not in _DRIVERS or not rest:
        raise ValueError("a database is sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    return value


def _shift_starts(value: str) -> str:
    if not value.split() or any(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", each) is None for each in value.split()):
        raise ValueError(f"{value!r} names no times; write them as in '07:00 19:00'")
    return value


ShiftStarts = Annotated[str, AfterValidator(_shift_starts)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
Port = Annotated[int, Field(ge=0, le=65535)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class MqttSettings(_Section):
    """The broker that base units and the monitoring queue are reached through."""

    host: str = "127.0.0.1"
    """Name or address of the broker. Any MQTT broker will do: none is trusted with evidence."""
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    """Port of the broker: 1883 without TLS, 8883 with it, by custom."""
    protocol: Literal["3.1.1", "5"] = "3.1.1"
    """Version of MQTT. 3.1.1 is enough for everything here and every broker speaks it."""
    client_id: Annotated[str, Field(min_length=1, max_length=64)] = "emcheck"
    """Name of our session. Two services with one name throw each other out: give each its own."""
    username: str | None = Field(default=None, examples=["emcheck"])
    """Name to log in with. Off by default: with TLS the certificate is the identity."""
    password: SecretStr | None = Field(default=None, examples=["..."])
    """Password to log in with. Better in the environment than in a file that is copied."""
    tls: bool = False
    """Speak TLS. Off only where the broker is on this machine; base units always come over TLS."""
    ca_file: Path | None = Field(default=None, examples=["/etc/emcheck/ca.crt"])
    """PEM file of the authority that signed the broker's certificate; without it the system's are used."""
    certificate_file: Path | None = Field(default=None, examples=["/etc/emcheck/emcheck.crt"])
    """PEM file of our own certificate; the broker's ACL knows us by its common name."""
    key_file: Path | None = Field(default=None, examples=["/etc/emcheck/emcheck.key"])
    """PEM file of the certificate's private key, readable by the service only."""
    keepalive_s: Annotated[int, Field(ge=5, le=600)] = 30
    """Silence after which we ping the broker, so that a dead link is noticed in 1.5 times this."""
    connect_timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    """How long one attempt to connect may take before it counts as failed."""
    reconnect_first_s: Annotated[float, Field(gt=0, le=60)] = 0.5
    """Pause before the first new attempt; it doubles, with jitter, so that services do not return in step."""
    reconnect_most_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    """Longest pause between attempts: a broker that is back is used within this time."""
    queue_messages_max: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    """Messages held in memory before a batch takes them. What is dropped beyond was never acknowledged and
    comes again; more only costs memory (64 KiB each at worst)."""

    @model_validator(mode="after")
    def _certificate_whole(self) -> "MqttSettings":
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together; set both or neither")
        if not self.tls and (self.ca_file or self.certificate_file):
            raise ValueError("certificates are given but tls is off; set tls = true")
        return self


class StoreSettings(_Section):
    """The database: the only place where evidence rests."""

    url: DatabaseUrl = "sqlite:///emcheck.db"
    """`sqlite:///FILE` (four slashes for an absolute path) or `postgresql://USER@HOST/DATABASE`."""
    busy_timeout_ms: Annotated[int, Field(ge=0, le=60_000)] = 5_000
    """How long to wait for a lock another process holds (the console, a backup) before saying "locked"."""

    @property
    def async_url(self) -> str:
        """The URL with the driver named, as SQLAlchemy's async engine wants it."""
        scheme, _, rest = self.url.partition("://")
        return f"{_DRIVERS[scheme]}://{rest}"

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database; None for another."""
        path = self.url.partition(":///")[2] if self.url.startswith("sqlite") else ""
        return Path(path).absolute() if path else None


class ServiceSettings(_Section):
    """The pipeline and the timekeeper."""

    policy_file: Path | None = Field(default=None, examples=["/etc/emcheck/policy.toml"])
    """The service's own policy as it first starts: a file, or the name of one that comes with emcheck, as `scotland`;
    `england-wales` without it. It is published then; later versions by `emcheck policy publish`."""
    signing_key_file: Path | None = Field(default=None, examples=["/etc/emcheck/signing.key"])
    """PEM file of the Ed25519 key that signs what units are told, readable by the service only. Make it with
    `openssl genpkey -algorithm ed25519 -out signing.key`; units are enrolled with its public half, the output of
    `openssl pkey -in signing.key -pubout -outform DER | tail -c 32 | base64`."""
    batch_messages_max: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Most messages in one transaction: more no longer gain speed and make a good neighbour wait."""
    batch_linger_ms: Annotated[int, Field(ge=0, le=1_000)] = 50
    """How long the first message of a batch waits for company; it is added to every alert's delay."""
    judge_chunk_ms: Annotated[int, Field(ge=1, le=1_000)] = 14
    """Longest stretch of judging before the network is looked at again (the herd at 19:00, a burst of events)."""
    alive_every_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    """How often the inbox is told that we were receiving: after a crash the outage is known to within this."""
    clock_sync_asked: bool = True
    """Whether the system is asked if its clock is synchronised (Linux). Off where the host keeps the time and the
    system does not know of it. Steps of the clock are noticed in any case."""
    checkpoint_every_s: Annotated[float, Field(gt=0, le=86_400)] = 3_600.0
    """How often folded state is written: a start after a crash reads at most the messages of two such spans."""
    audit_every_s: Annotated[float, Field(ge=5, le=3_600)] = 60.0
    """How often the auditor looks whether every step that was due was made and what is owed delivered: it tells what it
    finds twice, so an alert of its own comes within two such spans and the policy's grace."""
    stop_within_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    """Time for an orderly stop after SIGTERM; what is not done then was not acknowledged and comes again."""


class LogPublisherSettings(_Section):
    """Alerts as lines of the service's own log."""

    enabled: bool = True
    """On: the log is the publisher of last resort and costs nothing."""


class MqttPublisherSettings(_Section):
    """Alerts as CloudEvents on `em/v1/alerts/{priority}`."""

    enabled: bool = True
    """On: the monitoring queue and `emcheck alerts watch` read these topics."""


class WebhookPublisherSettings(_Section):
    """Alerts as CloudEvents by HTTP POST."""

    url: HttpUrl | None = Field(default=None, examples=["https://centre.example/alerts"])
    """Address that takes the POST; off until set. Any status of 200 to 299 counts as delivered."""
    bearer_token: SecretStr | None = Field(default=None, examples=["..."])
    """Sent as `Authorization: Bearer ...`. Better in the environment than in a file that is copied."""
    hmac_key: Annotated[SecretStr, Field(min_length=1)] | None = Field(default=None, examples=["..."])
    """Signs each body: `X-Emcheck-Signature: sha256=...` is its HMAC-SHA256 under this key, so that the receiver can
    tell that it is ours and whole."""
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    """How long one delivery may take; a slow receiver delays nobody but itself."""


def _contact_names(value: dict[str, dict[str, SecretStr]]) -> dict[str, dict[str, SecretStr]]:
    for name in (*value, *(by for channels in value.values() for by in channels)):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a contact or channel; write it as in duty_operator")
    if any("queue" in channels for channels in value.values()):
        raise ValueError("queue is the monitoring queue itself and needs no address; remove it")
    return value


_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
Contacts = Annotated[dict[str, dict[str, SecretStr]], AfterValidator(_contact_names)]


class AlertingSettings(_Section):
    """How alerts leave the outbox: at least once, in order per wearer, each publisher for itself."""

    retry_first_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    """Pause after a failed delivery; it doubles, with jitter."""
    retry_most_s: Annotated[float, Field(gt=0, le=3_600)] = 60.0
    """Longest pause between deliveries: a receiver that is back has its alerts within this time."""
    contacts: Contacts = Field(default={}, examples=['{ supervisor = { page = "...", mail = "..." } }'])
    """Where the contacts are reached that the policy's escalation names: for each channel one or several addresses as
    Apprise writes them, separated by spaces. Better in the environment than in a file that is copied:
    EMCHECK_ALERTING__CONTACTS__SUPERVISOR__PAGE=..."""
    log: LogPublisherSettings = LogPublisherSettings()
    mqtt: MqttPublisherSettings = MqttPublisherSettings()
    webhook: WebhookPublisherSettings = WebhookPublisherSettings()


def _roles(value: str) -> str:
    for name in value.split():
        if name not in {role.value for role in Role}:
            raise ValueError(f"{name!r} is no role; there are {', '.join(Role)}")
    return value


def _provider(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")):
        raise ValueError("a provider is reached by https:// (http:// on this machine only)")
    return value


def _groups(value: dict[str, str]) -> dict[str, str]:
    for role in value.values():
        _roles(role or "(nothing)")
    return value


Roles = Annotated[str, AfterValidator(_roles)]
ProviderUrl = Annotated[str, AfterValidator(_provider)]
Groups = Annotated[dict[str, str], AfterValidator(_groups)]


class HttpSettings(_Section):
    """`/healthz`, `/readyz` and `/metrics`."""

    enabled: bool = True
    """On: a service nobody can ask is a service nobody knows to be down."""
    host: str = "127.0.0.1"
    """Address to listen on. This machine only by default: the figures name base units."""
    port: Port = 8080
    """Port to listen on; 0 takes a free one and logs it."""


class OidcSettings(_Section):
    """Sign-in with a provider elsewhere by OpenID Connect. It comes back to `/sign-in/elsewhere/back` of `web.url`."""

    issuer: ProviderUrl | None = Field(default=None, examples=["https://id.example/realms/staff"])
    """The provider, exactly as its discovery document names it. Off until set."""
    name: Annotated[str, Field(min_length=1, max_length=40)] = "your organisation"
    """What stands on the link: `Sign in with ...`."""
    client_id: str | None = Field(default=None, examples=["emcheck"])
    """How the provider knows us."""
    client_secret: SecretStr | None = Field(default=None, examples=["..."])
    """What we prove it with. Better in the environment, or in a file; without either we are a public client."""
    client_secret_file: Path | None = Field(default=None, examples=["/etc/emcheck/oidc.secret"])
    """The same in a file that only the service can read; `client_secret` wins over it."""
    scopes: str = "openid profile"
    """What is asked for. Some providers tell groups only where a scope of that name is asked for."""
    name_claim: str = "preferred_username"
    """Claim of the id token that names the account, at its first sign-in; later `sub` knows it again."""
    groups_claim: str = "groups"
    """Claim of the id token that lists groups."""
    roles: Groups = Field(default={}, examples=['{ "control room" = "operator", "duty leads" = "supervisor" }'])
    """Which group has which role. Who is in several has the role that stands first here; who is in none is refused."""

    @model_validator(mode="after")
    def _whole(self) -> "OidcSettings":
        if (self.issuer is None) != (self.client_id is None):
            raise ValueError("issuer and client_id belong together; set both or neither")
        if self.issuer is not None and not self.roles:
            raise ValueError("roles is empty: nobody could sign in; name the group of each role")
        return self


class WebSettings(_Section):
    """The operators' console and its REST API."""

    enabled: bool = True
    """On: whoever has an account may sign in from this machine. Nobody has one until it is made."""
    host: str = "127.0.0.1"
    """Address to listen on. This machine only by default: put a proxy with TLS before it, passwords travel here."""
    port: Port = 8081
    """Port to listen on; 0 takes a free one and logs it."""
    url: HttpUrl | None = Field(default=None, examples=["https://console.example"])
    """The console's address as browsers see it, where that is another. With https:// its cookie goes over TLS only."""
    idle_min: Annotated[float, Field(ge=1, le=1_440)] = 60
    """A sign-in that was not used for so long ends: a desk that somebody left must not act in their name for ever. What
    comes by itself, as the live queue, is no use."""
    absolute_h: Annotated[float, Field(gt=0, le=168)] = 13
    """A sign-in ends after so long though it is used: a shift of twelve hours and its hand-over."""
    timezone: Annotated[str, AfterValidator(zone)] = "UTC"
    """In which times are shown that belong to no order, as on the board and the shift's page: `Europe/London`."""
    shift_starts: ShiftStarts = "07:00 19:00"
    """When shifts begin, by the clock of `timezone`, separated by spaces: which time the shift's page shows at first.
    Twelve hours are usual where nights are watched."""
    board_every_s: Annotated[float, Field(ge=1, le=600)] = 10
    """How old the board of all wearers may be. While somebody looks, everybody is looked at anew as often; that takes
    about 10 us of one core a wearer, a second for 100,000, in slices of 4 ms."""
    photo_kb_max: Annotated[int, Field(ge=64, le=8_192)] = 1_024
    """How large one photo of a fitter's visit may be. The page scales them to 1600 pixels first: some 400 KB."""
    second_factor_for: Roles = ""
    """Roles that must have a second factor, separated by spaces, as in `administrator supervisor`: whoever of them has
    none can do nothing but set one up. Others may have one."""
    key_file: Path = Path("emcheck-web.key")
    """Key that the secrets of second factors are sealed with in the database. The service makes it at the first of
    them, for itself to read only. Keep a copy apart from the database's: one without the other tells no secret."""
    oidc: OidcSettings = OidcSettings()

    @property
    def factor_roles(self) -> frozenset[Role]:
        """The roles of `second_factor_for`."""
        return frozenset(Role(name) for name in self.second_factor_for.split())


class WatchdogSettings(_Section):
    """The dead man's switch: a heartbeat to a watcher elsewhere, who raises the alarm when it stops."""

    url: HttpUrl | None = Field(default=None, examples=["https://watch.example/emcheck"])
    """Address that takes a POST while the service is well; off until set. It must be on another machine."""
    every_s: Annotated[float, Field(ge=1, le=3_600)] = 60.0
    """Pause between heartbeats; let the watcher wait for three of them."""
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    """How long one heartbeat may take."""


class LoggingSettings(_Section):
    """The service's own log, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least weight of a line that is written. At `debug` every batch writes one."""
    format: Literal["auto", "console", "json"] = "auto"
    """`console` for people, `json` for collectors, `auto` by whether standard error is a terminal."""


class Settings(BaseSettings):
    """All settings. The environment (`EMCHECK_MQTT__HOST=...`) wins over the file, the file over defaults."""

    model_config = SettingsConfigDict(
        env_prefix="EMCHECK_", env_nested_delimiter="__", env_ignore_empty=True, extra="forbid", frozen=True
    )

    mqtt: MqttSettings = MqttSettings()
    store: StoreSettings = StoreSettings()
    service: ServiceSettings = ServiceSettings()
    alerting: AlertingSettings = AlertingSettings()
    http: HttpSettings = HttpSettings()
    web: WebSettings = WebSettings()
    watchdog: WatchdogSettings = WatchdogSettings()
    logging: LoggingSettings = LoggingSettings()
    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    def remember(self, sources: Mapping[str, str]) -> None:
        """Keep where values came from, for `config show`."""
        self._sources.update(sources)

    def source_of(self, key: str) -> str:
        """`default`, `FILE:LINE` or `environment` of a dotted key."""
        return self._sources.get(key, "default")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before what the file said, which is handed in as arguments."""
        del settings_cls, dotenv_settings, file_secret_settings  # a .env or a secrets folder would be a second way
        return env_settings, init_settings
