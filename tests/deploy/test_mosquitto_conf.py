"""`deploy/mosquitto.conf` on a real Mosquitto: certificates are asked for, and a unit may do only what is its own."""

import asyncio
import getpass
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest

from emcheck.ingest.embedded import free_port
from tests.programs import program

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
PATIENCE_S = 20.0
"""How long a broken broker is waited for; a good one answers at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A Mosquitto of this test's own, with a folder of certificates."""

    port: int
    certificates: Path

    def context(self, name: str | None) -> ssl.SSLContext:
        """Trusts the test's authority and shows the certificate of `name` (None: shows none)."""
        context = ssl.create_default_context(cafile=str(self.certificates / "ca.crt"))
        if name is not None:
            context.load_cert_chain(self.certificates / f"{name}.crt", self.certificates / f"{name}.key")
        return context

    def client(self, name: str | None, *, identifier: str | None = None) -> aiomqtt.Client:
        """A client that shows the certificate of `name` and calls itself `identifier`, or so too."""
        return aiomqtt.Client(
            "127.0.0.1", self.port, identifier=identifier or name, tls_context=self.context(name), timeout=PATIENCE_S
        )


def _certificates(folder: Path, *names: str) -> Path:
    subprocess.run([DEPLOY / "certificates.sh", folder, "127.0.0.1", *names], check=True, capture_output=True)
    return folder


def _configuration(folder: Path, port: int) -> Path:
    text = (DEPLOY / "mosquitto.conf").read_text()
    for shipped, here in {
        "listener 8883\n": f"listener {port} 127.0.0.1\n",
        "/etc/mosquitto/certs/": f"{folder}/certs/",
        "/etc/mosquitto/acl": f"{folder}/acl",
        "/var/lib/mosquitto/": f"{folder}/",
    }.items():
        assert shipped in text
        text = text.replace(shipped, here)
    path = folder / "mosquitto.conf"
    path.write_text(text + f"user {getpass.getuser()}\n")
    acl = folder / "acl"
    acl.write_bytes((DEPLOY / "mosquitto.acl").read_bytes())
    acl.chmod(0o600)
    return path


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running Mosquitto with the shipped configuration; only paths, address and port are the test's."""
    mosquitto, _ = program("mosquitto"), program("openssl")
    folder = tmp_path_factory.mktemp("mosquitto")
    port = free_port()
    certificates = _certificates(folder / "certs", "emcheck", "monitoring", "BU-0001", "BU-0002")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([mosquitto, "-c", str(_configuration(folder, port))], stdout=log, stderr=log)
    try:
        for _ in range(200):
            if _answers(port) or process.poll() is not None:
                break
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(PATIENCE_S / 200)
        assert process.poll() is None, (folder / "log").read_text()
        yield Broker(port=port, certificates=certificates)
    finally:
        process.terminate()
        process.wait()


@asynccontextmanager
async def _hearing(broker: Broker, name: str, *topics: str) -> AsyncIterator[aiomqtt.Client]:
    async with broker.client(name) as client:
        for topic in topics:
            await client.subscribe(topic, qos=1)
        yield client


async def _heard_until(client: aiomqtt.Client, last: bytes) -> list[tuple[str, bytes]]:
    """What arrives up to the payload `last`: whatever was refused before it would have come before it."""
    heard: list[tuple[str, bytes]] = []
    async with asyncio.timeout(PATIENCE_S):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            heard.append((str(message.topic), message.payload))
            if message.payload == last:
                break
    return heard


async def test_a_unit_publishes_only_under_its_own_id(broker: Broker) -> None:
    async with _hearing(broker, "emcheck", "em/v1/+/up", "em/v1/+/link") as service, broker.client("BU-0001") as unit:
        for topic in ("em/v1/BU-0002/up", "em/v1/BU-0002/link", "em/v1/BU-0001/down", "em/v1/host", "em/v1/alerts/P1"):
            await unit.publish(topic, b"forged", qos=1)
        await unit.publish("em/v1/BU-0001/link", b"online", qos=1)
        await unit.publish("em/v1/BU-0001/up", b"last", qos=1)
        assert await _heard_until(service, b"last") == [
            ("em/v1/BU-0001/link", b"online"),
            ("em/v1/BU-0001/up", b"last"),
        ]


async def test_a_unit_hears_only_what_is_for_it_even_if_it_asks_for_all(broker: Broker) -> None:
    asked = ("em/v1/+/down", "em/v1/BU-0002/down", "em/v1/+/up", "em/v1/alerts/#", "em/v1/host")
    async with _hearing(broker, "BU-0001", *asked) as unit, broker.client("emcheck") as service:
        for topic in ("em/v1/BU-0002/down", "em/v1/alerts/P1"):
            await service.publish(topic, b"not for you", qos=1)
        async with broker.client("BU-0002") as neighbour:
            await neighbour.publish("em/v1/BU-0002/up", b"not for you either", qos=1)
        await service.publish("em/v1/host", b"host", qos=1)
        await service.publish("em/v1/BU-0001/down", b"last", qos=1)
        assert await _heard_until(unit, b"last") == [("em/v1/host", b"host"), ("em/v1/BU-0001/down", b"last")]


async def test_the_monitoring_queue_reads_alerts_and_writes_none(broker: Broker) -> None:
    async with _hearing(broker, "monitoring", "em/v1/#") as queue, broker.client("emcheck") as service:
        await queue.publish("em/v1/alerts/P1", b"forged", qos=1)
        await service.publish("em/v1/BU-0001/down", b"not for the queue", qos=1)
        await service.publish("em/v1/alerts/P1", b"last", qos=1)
        assert await _heard_until(queue, b"last") == [("em/v1/alerts/P1", b"last")]


async def test_the_monitoring_queue_confirms_what_it_has_and_no_unit_can(broker: Broker) -> None:
    async with broker.client("emcheck") as service, broker.client("BU-0001") as unit:
        await service.subscribe("em/v1/alerts/receipt", qos=1)
        await unit.publish("em/v1/alerts/receipt", b"forged", qos=1)
        async with broker.client("monitoring") as queue:
            await queue.publish("em/v1/alerts/receipt", b"last", qos=1)
        assert await _heard_until(service, b"last") == [("em/v1/alerts/receipt", b"last")]


async def test_a_unit_cannot_take_the_name_of_another(broker: Broker) -> None:
    async with _hearing(broker, "emcheck", "em/v1/+/up") as service, broker.client("BU-0002") as neighbour:
        async with broker.client("BU-0001", identifier="BU-0002") as thief:
            await thief.publish("em/v1/BU-0002/up", b"forged", qos=1)
            await neighbour.publish("em/v1/BU-0002/up", b"last", qos=1)
        assert await _heard_until(service, b"last") == [("em/v1/BU-0002/up", b"last")]


def _refusal(broker: Broker, name: str | None) -> str:
    """How the broker ends a connection that shows the certificate of `name`; with TLS 1.3 only the first read tells."""
    with (
        socket.create_connection(("127.0.0.1", broker.port), timeout=PATIENCE_S) as plain,
        pytest.raises(ssl.SSLError) as caught,
        broker.context(name).wrap_socket(plain, server_hostname="127.0.0.1") as wrapped,
    ):
        wrapped.recv(1)
    return str(caught.value.reason)


def test_without_a_certificate_nobody_comes_in(broker: Broker) -> None:
    assert "CERTIFICATE_REQUIRED" in _refusal(broker, None)


def test_a_certificate_of_another_authority_is_refused(broker: Broker, tmp_path: Path) -> None:
    foreign = _certificates(tmp_path / "certs", "BU-0001")
    shutil.copy(broker.certificates / "ca.crt", foreign / "ca.crt")
    assert "ALERT" in _refusal(Broker(port=broker.port, certificates=foreign), "BU-0001")
