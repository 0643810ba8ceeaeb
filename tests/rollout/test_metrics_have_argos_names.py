"""`/metrics` of the rollout manager by Argo Rollouts' names: what objects become, and a scrape of a live one.

Not here: Experiments on a live manager (their samples are made as those of runs are).
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.rollout_manager.measures import lines
from services.rollout_manager.measures.exposed import together
from services.rollout_manager.measures.facts import of_rollout, rollout_phase
from services.rollout_manager.measures.passes import Took
from shared.kube import Key
from shared.telemetry import metrics
from tests.rollout.managed import Managed
from tests.rollout.rollouts import Obj, canary, rollout

KEY = Key("shop", "web")
WHO = {"namespace": "shop", "name": "web"}
ODD, ENDED = Key("shop", 'a "b"\\\n'), {"status": {"phase": "Failed"}}


Scrape = dict[str, list[tuple[dict[str, str], float]]]


def samples(text: str) -> Scrape:
    found: Scrape = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            found.setdefault(one.name, []).append((dict(one.labels), one.value))
    return found


def test_a_rollout_has_argos_names_and_labels() -> None:
    routed = canary({"setWeight": 20}, trafficRouting={"nginx": {"stableIngress": "web"}})
    status: Obj = {"replicas": 5, "availableReplicas": 3, "updatedReplicas": 1}
    status |= {"conditions": [{"type": "Progressing", "reason": "RolloutPaused"}]}
    found = samples("".join(lines.of_rollout(KEY, {**rollout(routed, replicas=4), "status": status})))
    labels = {**WHO, "strategy": "canary", "traffic_router": "Nginx", "phase": "Paused"}
    assert found["rollout_info"] == [(labels, 1)]
    replicas = {name: found[f"rollout_info_replicas_{name}"] for name in ("available", "unavailable", "desired")}
    assert replicas == {"available": [(WHO, 3)], "unavailable": [(WHO, 2)], "desired": [(WHO, 4)]}
    assert found["rollout_info_replicas_updated"] == [(WHO, 1)]
    phases = {labels["phase"]: value for labels, value in found["rollout_phase"]}
    assert phases == {"Completed": 0, "Progressing": 0, "Paused": 1, "Timeout": 0, "Error": 0, "Abort": 0}
    assert found["rollout_phase"][0][0] == {**WHO, "strategy": "canary", "phase": "Completed"}


@pytest.mark.parametrize(
    ("conditions", "phase"),
    [
        ([], "Progressing"),
        ([("Progressing", "NewReplicaSetAvailable")], "Completed"),
        ([("Progressing", "ReplicaSetUpdated")], "Progressing"),
        ([("Progressing", "ProgressDeadlineExceeded")], "Timeout"),
        ([("Progressing", "ReplicaSetCreateError")], "Error"),
        ([("Progressing", "RolloutAborted")], "Abort"),
        ([("Progressing", "RolloutAborted"), ("InvalidSpec", "InvalidSpec")], "InvalidSpec"),
    ],
)
def test_a_phase_is_read_off_the_conditions(conditions: list[tuple[str, str]], phase: str) -> None:
    status = {"conditions": [{"type": type_, "reason": reason} for type_, reason in conditions]}
    assert rollout_phase(status) == phase


def test_a_rollout_without_anything_is_one_too() -> None:
    found = of_rollout({"spec": {}})
    assert found == ("none", "", "Progressing", 0, 0, 1, 0)
    assert of_rollout({"spec": {"strategy": {"blueGreen": {}}, "replicas": 0}})[:2] == ("blueGreen", "")


def test_a_run_has_argos_names_and_labels() -> None:
    metrics_ = [{"name": "rate", "provider": {"web": {}}}, {"name": "late", "provider": {"newThing": {}}}]
    results = [{"name": "rate", "phase": "Failed", "dryRun": True}]
    run = {"spec": {"metrics": metrics_}, "status": {"phase": "Running", "metricResults": results}}
    found = samples("".join(lines.of_run(KEY, run)))
    assert found["analysis_run_info"] == [({**WHO, "phase": "Running"}, 1)]
    assert [labels["phase"] for labels, value in found["analysis_run_phase"] if value] == ["Running"]
    assert len(found["analysis_run_phase"]) == 6
    rate, late = ({**WHO, "metric": "rate", "type": "WebMetric"}, {**WHO, "metric": "late", "type": "Unknown"})
    assert found["analysis_run_metric_type"] == [(rate, 1), (late, 1)]
    assert [labels for labels, value in found["analysis_run_metric_phase"] if value] == [
        {**rate, "dry_run": "true", "phase": "Failed"},
        {**late, "dry_run": "false", "phase": "Pending"},
    ]


def test_an_experiment_has_a_phase() -> None:
    found = samples(
        "".join(together(lines.EXPERIMENT, [lines.of_experiment(KEY, {}), lines.of_experiment(ODD, ENDED)]))
    )
    assert found["experiment_info"] == [({**WHO, "phase": ""}, 1), ({**ODD._asdict(), "phase": "Failed"}, 1)]
    assert [labels["phase"] for labels, value in found["experiment_phase"] if value] == ["Pending", "Failed"]


def test_passes_become_a_histogram_and_a_count_of_errors() -> None:
    took = Took(errors=2)
    for seconds in (0.01, 0.2, 0.2, 9.0):
        took.add(seconds)
    took.told["Normal", "RolloutUpdated"] += 3
    text = "".join(together(lines.of_passes("rollout"), [took.render(KEY, "rollout")]))
    found = samples(text)
    buckets = {labels["le"]: value for labels, value in found["rollout_reconcile_bucket"]}
    assert buckets == {"0.01": 1, "0.15": 1, "0.25": 3, "0.5": 3, "1.0": 3, "+Inf": 4}
    assert found["rollout_reconcile_sum"][0][1] == pytest.approx(9.41)
    assert found["rollout_reconcile_count"] == [(WHO, 4)]
    counted = '# TYPE rollout_reconcile_error counter\nrollout_reconcile_error{namespace="shop",name="web"} 2\n'
    assert counted in text  # the parser expects `_total` in the name of a counter
    assert found["rollout_events_total"] == [({**WHO, "type": "Normal", "reason": "RolloutUpdated"}, 3)]


def scraped(managed: Managed) -> Scrape:
    """What `/metrics` answers, of the test's own namespace."""
    found = samples(metrics.exposition().decode())
    return {
        name: mine
        for name, rows in found.items()
        if (mine := [(labels, value) for labels, value in rows if labels.get("namespace") == managed.namespace])
    }


async def until_scraped(managed: Managed, holds: Callable[[Scrape], Any]) -> Scrape:
    """Scrape until it is so: the manager may hear of what it wrote after we do."""
    found: Scrape = {}
    try:
        async with asyncio.timeout(60):
            while not holds(found := scraped(managed)):  # noqa: ASYNC110 - nothing tells when a scrape would differ
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"the scrape stays {found}")
    return found


def phases(found: Scrape) -> list[str]:
    return [labels["phase"] for labels, _ in found.get("rollout_info", ())]


def reasons(found: Scrape) -> set[str]:
    return {labels["reason"] for labels, _ in found.get("rollout_events_total", ())}


def paused_and_told(found: Scrape) -> bool:
    return phases(found) == ["Paused"] and "RolloutPaused" in reasons(found)


async def test_a_live_rollout_is_scraped_until_it_is_gone(unmanaged: Managed) -> None:
    async with unmanaged.run():
        await unmanaged.apply(rollout(canary({"setWeight": 50}, {"pause": {}}), replicas=2))
        await until_scraped(unmanaged, lambda found: phases(found) == ["Completed"])
        await unmanaged.push("v2")
        found = await until_scraped(
            unmanaged, lambda one: phases(one) == ["Paused"] and "RolloutPaused" in reasons(one)
        )
        assert found["rollout_info_replicas_desired"] == [({"namespace": unmanaged.namespace, "name": "web"}, 2)]
        assert found["rollout_reconcile_count"][0][1] >= 1
        await unmanaged.delete("Rollout", "web")
        await until_scraped(unmanaged, lambda found: not any(name.startswith("rollout_") for name in found))
        await unmanaged.apply(rollout(canary({"setWeight": 50}), replicas=1))
        await until_scraped(unmanaged, phases)
    assert scraped(unmanaged) == {}
