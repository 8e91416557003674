"""`/healthz`, `/readyz` and `/metrics`: is it alive, is it doing its work, and how much of it."""

import contextlib
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import uvicorn
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route


class By(NamedTuple):
    """A figure told apart by a label."""

    label: str
    values: Mapping[str, float]


Readings = Callable[[], Mapping[str, tuple[str, float | By]]]
"""Metric names to their help text and present value; a name that ends in `_total` is a counter."""


class ListenError(OSError):
    """The address cannot be listened on; one line with what helps."""


def listen(host: str, port: int, *, section: str = "http") -> socket.socket:
    """A socket that listens; port 0 takes a free one. ListenError says what is in the way, and in which settings."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number is not None and number > 0 else error
        raise ListenError(
            f"{section}: {host}:{port} cannot be listened on ({reason}). "
            f"End what listens there, or set {section}.host and {section}.port to an address that is free"
        ) from None


class QuietServer(uvicorn.Server):
    """Leaves signals to whoever runs the service."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class _Figures(Collector):
    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> "list[CounterMetricFamily | GaugeMetricFamily]":
        """The readings of this instant."""
        families: list[CounterMetricFamily | GaugeMetricFamily] = []
        for name, (help_text, value) in self._readings().items():
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            if isinstance(value, By):
                if not value.values:
                    continue
                family = kind(f"emcheck_{name}", help_text, labels=[value.label])
                for which, number in value.values.items():
                    family.add_metric([which], number)
            else:
                family = kind(f"emcheck_{name}", help_text, value=value)
            families.append(family)
        return families


def health_app(*, troubles: Callable[[], list[str]], readings: Readings) -> Starlette:
    """The three addresses. `troubles` says in words what keeps the service from its work; empty when all is well."""
    registry = CollectorRegistry()
    registry.register(_Figures(readings))

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(_: Request) -> Response:
        found = troubles()
        return JSONResponse({"ready": not found, "troubles": found}, status_code=503 if found else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])
