"""Units whose wearers have left, and an operator who waits for the alerts, in a process of their own.

Each unit boots; then, once standard input says what time it is, each tells at a random instant of a departure that is
longer ago than the policy's delay, as after a short outage of its uplink: the alert is due at once.
"""

import asyncio
import json
import random
import sys
import time

import aiomqtt

from bench import town
from bench.alerting import ALARMS, ALARMS_PER_S, LEFT_AGO
from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms

_PATIENCE_S = 5.0
_QUIET_S = 1.0


async def probe(host: str, port: int, *, first: int, at: Ms) -> list[float]:
    """Milliseconds from the publish to the alert, for each unit from number `first` on."""
    told_at: dict[str, float] = {}
    delays: list[float] = []

    heard_at = time.perf_counter()

    async def listen(client: aiomqtt.Client) -> None:
        nonlocal heard_at
        async for message in client.messages:
            heard_at = time.perf_counter()
            wearer = json.loads(bytes(message.payload))["data"]["wearer_id"]
            if wearer in told_at:
                delays.append((heard_at - told_at.pop(wearer)) * 1000)

    async with aiomqtt.Client(host, port, identifier="operator") as client:
        await client.subscribe("em/v1/alerts/+", qos=1)
        listening = asyncio.create_task(listen(client))
        for unit in range(first, first + ALARMS):
            await _publish(client, unit, 1, town.event(unit, 1, at))
        while time.perf_counter() - heard_at < _QUIET_S:  # the silences from before their first word have ended
            await asyncio.sleep(0.01)
        now = await asyncio.to_thread(_what_time_it_is)
        for unit in range(first, first + ALARMS):
            told_at[f"W-{unit}"] = time.perf_counter()
            left = {"type": "presence", "at": format_ms(now - LEFT_AGO), "tag": f"T-{unit}", "in_range": False}
            await _publish(client, unit, 2, left)
            await asyncio.sleep(random.uniform(0.5, 1.5) / ALARMS_PER_S)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while told_at:
                    await asyncio.sleep(0.01)
        except TimeoutError:
            missing = ", ".join(sorted(told_at)[:3])
            raise RuntimeError(f"{len(told_at)} of {ALARMS} alerts never came: {missing} ...") from None
        listening.cancel()
    return delays


def _what_time_it_is() -> Ms:
    print("ready", flush=True)
    return int(sys.stdin.readline())


async def _publish(client: aiomqtt.Client, unit: int, seq: int, event: dict[str, object]) -> None:
    await client.publish(f"em/v1/{town.unit_name(unit)}/up", town.envelope(unit, seq, [event]), qos=1)


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    print(json.dumps(asyncio.run(probe(told["host"], told["port"], first=told["first"], at=told["at"]))))
