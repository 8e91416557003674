"""The dashboard asks for figures that there are: each name is looked up in what a running service exposes."""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from prometheus_client.parser import text_string_to_metric_families

from emcheck.clock import VirtualClock
from emcheck.domain.instants import MINUTE, format_ms
from emcheck.ingest.embedded import EmbeddedBroker, free_port
from tests.service.living import PATIENCE_S, living
from tests.service.peers import good_units
from tests.support import at

DASHBOARD = Path(__file__).resolve().parents[2] / "deploy" / "grafana-dashboard.json"
UNIT = "BU-0001"


def dashboard() -> dict[str, Any]:
    return json.loads(DASHBOARD.read_text())  # type: ignore[no-any-return] # a document


def panels() -> Iterator[dict[str, Any]]:
    """What is drawn; rows only divide."""
    return (panel for panel in dashboard()["panels"] if panel["type"] != "row")


class Figure(NamedTuple):
    """What `/metrics` says that it is, and the labels that it comes with."""

    kind: str
    labels: frozenset[str]


def targets() -> Iterator[dict[str, Any]]:
    """What the panels ask for, but for what no figure has a part in."""
    return (target for panel in panels() for target in panel["targets"] if "emcheck_" in target["expr"])


def asked_for() -> set[str]:
    """The figures that panels and variables name."""
    return set(re.findall(r"emcheck_\w+", json.dumps(dashboard()))) - {"emcheck_up"}


def unknown_labels(target: dict[str, Any], there: Mapping[str, Figure]) -> set[str]:
    """Labels by which a panel selects, sums or names lines, which none of its figures has; `job` is the scrape's."""
    expr = target["expr"]
    named = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expr)) | set(
        re.findall(r"{{\s*(\w+)\s*}}", target["legendFormat"])
    )
    for listed in re.findall(r"(?:by|without|on|ignoring)\s*\(([^)]*)\)", expr):
        named |= {label.strip() for label in listed.split(",")}
    known = frozenset[str]().union(*(there[name].labels for name in re.findall(r"emcheck_\w+", expr)))
    return named - known - {"job"}


async def exposed(http: str) -> dict[str, Figure]:
    """The figures of a running service by the names under which they are asked for."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{http}/metrics")).text
    return {
        sample.name: Figure(family.type, frozenset(sample.labels))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_every_figure_that_the_dashboard_asks_for_is_exposed(tmp_path: Path) -> None:
    clock, port = VirtualClock(at("18:50")), free_port()
    async with (
        EmbeddedBroker(store_dir=tmp_path / "broker") as broker,
        living(broker, tmp_path / "em.db", clock, http=("127.0.0.1", port)) as service,
        good_units(broker.host, broker.port, [UNIT]) as [unit],
    ):
        await unit.says({"type": "tag_tamper", "at": format_ms(clock.now()), "tag": "T-1", "kind": "strap_cut"})
        await unit.is_acknowledged()
        store = service._store
        (alert,) = [each for each in await store.alerts(open_only=True) if each.rule == "tag.strap"]
        close = {
            "type": "alert",
            "alert_id": alert.alert_id,
            "act": "close",
            "disposition": "test_or_visit",
            "by": "jo",
        }
        number = await store.post(json.dumps(close).encode(), clock.now())
        async with asyncio.timeout(PATIENCE_S):
            while await store.outcome(number) is None:
                await asyncio.sleep(0.01)
        assert await store.outcome(number) == "done"
        clock.advance(clock.now() + MINUTE)
        there = await exposed(f"http://127.0.0.1:{port}")
    assert asked_for() - there.keys() == set()
    assert len(asked_for()) > 25
    assert {target["expr"]: wrong for target in targets() if (wrong := unknown_labels(target, there))} == {}
    for target in targets():
        rated = set(re.findall(r"(?:rate|increase)\((emcheck_\w+)", target["expr"]))
        for name in re.findall(r"emcheck_\w+", target["expr"]):
            assert (there[name].kind == "counter") is (name in rated), f"{name} in {target['expr']}"


def test_a_label_that_no_figure_has_is_found() -> None:
    there = {"emcheck_a_total": Figure("counter", frozenset({"rule"}))}
    expr = 'sum by (rule, site) (rate(emcheck_a_total{job="$job", unit=~"x"}[5m]))'
    assert unknown_labels({"expr": expr, "legendFormat": "{{rule}} {{who}}"}, there) == {"site", "unit", "who"}


def test_it_is_a_dashboard_of_a_current_grafana_whose_panels_do_not_overlap() -> None:
    it = dashboard()
    assert it["schemaVersion"] >= 39
    assert len({panel["id"] for panel in it["panels"]}) == len(it["panels"])
    assert [each["name"] for each in it["templating"]["list"]] == ["datasource", "job", "operators"]
    taken: set[tuple[int, int]] = set()
    for panel in it["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_panel_has_a_question_a_unit_and_a_word_of_what_it_means() -> None:
    for panel in panels():
        assert panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"] is None, "the first has no bound"
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        for target in panel["targets"]:
            assert target["expr"], panel["title"]
            assert target["datasource"] == panel["datasource"]
            assert target["expr"].count("(") == target["expr"].count(")")
            assert "emcheck_" in target["expr"] or target["expr"] == "10 * $operators"
            assert all('{job="$job"' in target["expr"] for _ in re.findall(r"emcheck_\w+", target["expr"]))
