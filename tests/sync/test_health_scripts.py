"""Health by Lua from `argocd-cm`: it holds up waves, follows the live object, and says why it can't judge.

NetworkPolicies stand in for a kind that nobody else judges; no other test has one.
"""

from collections.abc import Callable
from typing import Any

import orjson
import yaml

from shared.kube import verbs
from tests.parts.delivery import Delivery, config_map, synced

Obj = dict[str, Any]
SCRIPT = """
local phase = (obj.metadata.annotations or {})["example.org/phase"]
if phase == "stuck" then while true do end end
if phase == "broken" then return obj.nothing.at.all end
return {status = phase or "Progressing", message = "phase is " .. (phase or "none")}
"""
PATTERN = "networking.k8s.io/NetworkPolic*"  # a ConfigMap's key can't hold a star: patterns stand in the old block
CUSTOM = {"resource.customizations": yaml.safe_dump({PATTERN: {"health.lua": SCRIPT}})}


def policy(wave: int = 0) -> bytes:
    annotations = {"argocd.argoproj.io/sync-wave": str(wave)}
    metadata = {"name": "rule", "annotations": annotations}
    return orjson.dumps(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata,
            "spec": {"podSelector": {}},
        }
    )


async def set_phase(delivery: Delivery, phase: str) -> None:
    resource = await delivery.discovery.resource("networking.k8s.io", "NetworkPolicy")
    patch = {"metadata": {"annotations": {"example.org/phase": phase}}}
    await verbs.patch(delivery.cluster, resource, delivery.namespace, "rule", patch, manager="the-controller")


def health_of(app: Obj) -> tuple[str, str]:
    (found,) = (one["health"] for one in app["status"]["resources"] if one["kind"] == "NetworkPolicy")
    return found["status"], found.get("message", "")


def unknown_because(words: str) -> Callable[[Obj], bool]:
    return lambda app: health_of(app)[0] == "Unknown" and words in health_of(app)[1]


async def test_a_script_holds_up_the_next_wave_and_judges_what_lives(delivery: Delivery) -> None:
    await delivery.settings(CUSTOM)
    late = orjson.loads(config_map("late"))
    late["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": "1"}
    delivery.begin({"app/rule.json": policy(), "app/late.json": orjson.dumps(late)})
    await delivery.apply(delivery.application(automated={}))
    await delivery.until(lambda app: health_of(app) == ("Progressing", "phase is none"))
    assert await delivery.get("ConfigMap", "late") is None
    await set_phase(delivery, "Healthy")
    await delivery.until(synced)
    await set_phase(delivery, "Degraded")
    app = await delivery.until(lambda app: app["status"]["health"]["status"] == "Degraded")
    assert health_of(app) == ("Degraded", "phase is Degraded")
    for phase, words in (("stuck", "longer than 1s"), ("broken", "nil"), ("Fine", "invalid health status")):
        await set_phase(delivery, phase)
        await delivery.until(unknown_because(words))
    await delivery.settings({})
    await delivery.until(lambda app: app["status"]["health"]["status"] == "Healthy")
