"""Ping-pong behind an ALB on the real API server: no Service's selector changes while traffic goes through it; and the
canary's pods keep away from the stable ones.
"""

import json

from services.rollout_manager.labels import HASH
from tests.rollout.managed import Managed
from tests.rollout.rollouts import Obj, canary, ingress, rollout, service

ACTION = "alb.ingress.kubernetes.io/actions.root"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
ALB = {"ingress": "web", "rootService": "root", "servicePort": 80}
NAMES = {"pingService": "ping", "pongService": "pong"}


async def weights(managed: Managed) -> dict[str, int]:
    found = await managed.get("Ingress", "web")
    groups = json.loads(found["metadata"]["annotations"][ACTION])["ForwardConfig"]["TargetGroups"]
    return {one["ServiceName"]: one["Weight"] for one in groups if one["Weight"]}


async def leads_to(managed: Managed, name: str) -> str:
    return str((await managed.get("Service", name))["spec"]["selector"].get(HASH))


async def kept_from(managed: Managed, hash_: str) -> list[tuple[int, list[str]]]:
    """From the pods of which versions this version's pods rather keep away, with the weights."""
    [one] = [one for one in await managed.list("ReplicaSet") if one["metadata"]["labels"][HASH] == hash_]
    affinity: Obj = one["spec"]["template"]["spec"].get("affinity", {}).get("podAntiAffinity", {})
    terms = ((rule["weight"], rule["podAffinityTerm"]["labelSelector"]) for rule in affinity.get(PREFERRED, ()))
    return [(weight, selector["matchExpressions"][0]["values"]) for weight, selector in terms]


async def test_two_updates_and_an_abort(managed: Managed) -> None:
    for name in ("root", "ping", "pong"):
        await managed.apply(service(name, managed.namespace))
    await managed.apply(ingress(managed.namespace, backend="root"))
    apart = {PREFERRED: {"weight": 7}}
    steps: tuple[Obj, ...] = ({"setWeight": 50}, {"pause": {}})
    strategy = canary(*steps, pingPong=NAMES, trafficRouting={"alb": ALB}, antiAffinity=apart)
    await managed.apply(rollout(strategy, replicas=2))
    first = (await managed.until_phase("Healthy"))["status"]
    assert (first["canary"]["stablePingPong"], await leads_to(managed, "ping")) == ("ping", first["stableRS"])

    await managed.push("v2")
    paused = (await managed.until_phase("Paused", currentStepIndex=1))["status"]
    second = paused["currentPodHash"]
    assert [await leads_to(managed, name) for name in ("ping", "pong")] == [first["stableRS"], second]
    assert await weights(managed) == {"ping": 50, "pong": 50}
    assert await kept_from(managed, second) == [(7, [first["stableRS"]])]
    assert await kept_from(managed, first["stableRS"]) == []

    await managed.status({"pauseConditions": None})
    promoted = (await managed.until_phase("Healthy", stableRS=second))["status"]
    assert (promoted["canary"]["stablePingPong"], await weights(managed)) == ("pong", {"pong": 100})
    assert await leads_to(managed, "pong") == second

    await managed.push("v3")
    third = (await managed.until_phase("Paused", currentStepIndex=1))["status"]["currentPodHash"]
    assert [await leads_to(managed, name) for name in ("ping", "pong")] == [third, second]
    assert await weights(managed) == {"ping": 50, "pong": 50}
    await managed.status({"abort": True})
    await managed.until_phase("Degraded")
    assert (await weights(managed), await leads_to(managed, "pong")) == ({"pong": 100}, second)
