"""Sync windows on a running stack: who is blocked is told until when, and goes on by itself. The rules: tests/kinds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from shared.clock import now, parse_rfc3339
from shared.kube import verbs
from tests.parts.delivery import ARGO, Delivery, complains, config_map, synced

Obj = dict[str, Any]
ALWAYS: Obj = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}


async def put_project(delivery: Delivery, *windows: Obj) -> None:
    everywhere = [{"server": "*", "namespace": "*"}]
    spec = {"sourceRepos": ["*"], "destinations": everywhere, "syncWindows": list(windows)}
    spec["clusterResourceWhitelist"] = [{"group": "*", "kind": "*"}]
    project = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "spec": spec}
    await delivery.apply(project | {"metadata": {"name": delivery.app, "namespace": ARGO}})


def closing_in(seconds: int) -> tuple[Obj, datetime]:
    """A deny window that opened a minute ago, and when it closes."""
    opened = (now() - timedelta(minutes=1)).replace(second=0, microsecond=0)
    closes = (now() + timedelta(seconds=seconds)).replace(microsecond=0)
    schedule = f"{opened.minute} {opened.hour} * * *"
    return {**ALWAYS, "schedule": schedule, "duration": f"{(closes - opened).seconds}s"}, closes


def blocked(*words: str) -> Any:
    def holds(app: Obj) -> bool:
        state = app["status"]["operationState"]
        return state["phase"] == "Running" and all(word in state["message"] for word in ("blocked", *words))

    return holds


async def test_the_policy_waits_for_the_window_and_syncs_when_it_opens(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    window, closes = closing_in(3600)
    await put_project(delivery, window)
    await delivery.apply(delivery.application(project=delivery.app, automated={}))
    await delivery.until(complains("SyncWindowWarning", "blocked by sync window until", closes.strftime("%H:%M:%SZ")))
    assert await delivery.get("ConfigMap", "a") is None
    window, closes = closing_in(4)
    await put_project(delivery, window)
    app = await delivery.until(synced)
    assert parse_rfc3339(app["status"]["operationState"]["startedAt"]) >= closes.astimezone(UTC)
    assert "SyncWindowWarning" not in str(app["status"].get("conditions"))


async def test_a_person_waits_too_unless_the_window_lets_people_pass(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    await put_project(delivery, {**ALWAYS, "schedule": "at noon"})
    await delivery.apply(delivery.application(project=delivery.app))
    await delivery.patch({"operation": {"sync": {}}})
    await delivery.until(blocked("can't be read", "at noon"))
    await put_project(delivery, {**ALWAYS, "description": "the freeze"})
    await delivery.until(blocked("the freeze"))
    assert await delivery.get("Namespace", delivery.namespace) is None
    await put_project(delivery, {**ALWAYS, "manualSync": True})
    await delivery.until(lambda app: app["status"]["operationState"]["phase"] == "Succeeded")
    assert await delivery.get("ConfigMap", "a") is not None


async def test_a_window_that_closes_stops_a_sync_before_its_next_wave(delivery: Delivery) -> None:
    labels = {"app": "web"}
    pod: Obj = {"metadata": {"labels": labels, "annotations": {"tiphys.dev/simulate": "pending"}}}
    pod["spec"] = {"terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "nginx"}]}
    web: Obj = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    web["spec"] = {"selector": {"matchLabels": labels}, "template": pod}
    second = config_map("b").replace(b'"name":"b"', b'"name":"b","annotations":{"argocd.argoproj.io/sync-wave":"1"}')
    delivery.begin({"app/web.json": orjson.dumps(web), "app/b.json": second})
    await put_project(delivery)
    await delivery.apply(delivery.application(project=delivery.app))
    await delivery.patch({"operation": {"sync": {}}})
    await delivery.until_object("apps", "Deployment", "web", bool)
    await put_project(delivery, ALWAYS)
    resource = await delivery.discovery.resource("apps", "Deployment")
    ready = {"spec": {"template": {"metadata": {"annotations": {"tiphys.dev/simulate": None}}}}}
    await verbs.patch(delivery.cluster, resource, delivery.namespace, "web", ready)
    await delivery.until(blocked("deny window"))
    assert await delivery.get("ConfigMap", "b") is None
    await put_project(delivery)
    await delivery.until(lambda app: app["status"]["operationState"]["phase"] == "Succeeded")
    assert await delivery.get("ConfigMap", "b") is not None
