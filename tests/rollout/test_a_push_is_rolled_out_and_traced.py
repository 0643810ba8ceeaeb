"""A push of a new image goes through git, sync and a canary: the Application stays Synced, one trace tells it all."""

import asyncio

import yaml

from shared.bus import connect
from shared.events import RolloutEvent
from tests.parts.delivery import Delivery, synced, synced_to
from tests.rollout.rollouts import Obj, canary, rollout, service


def manifests(image: str) -> dict[str, bytes]:
    strategy = canary({"setWeight": 50}, {"pause": {}}, stableService="stable", canaryService="canary")
    wanted = rollout(strategy, image=image, replicas=2)
    objects: list[Obj] = [wanted, service("stable", "x"), service("canary", "x")]
    for obj in objects:
        obj["metadata"] = {"name": obj["metadata"]["name"]}
    wanted["metadata"]["annotations"] = {"notifications.argoproj.io/subscribe.on-rollout-paused.slack": "deployments"}
    return {"app/all.yaml": yaml.safe_dump_all(objects).encode()}


async def test_a_canary_of_an_application(delivery: Delivery) -> None:
    delivery.begin(manifests("v1"))
    await delivery.apply(delivery.application(automated={"selfHeal": True, "prune": True}))
    await delivery.until(synced, seconds=90)
    commit = await delivery.push(manifests("v2"), "Use v2")
    paused = await delivery.until_object(
        "argoproj.io", "Rollout", "web", lambda obj: obj["status"]["phase"] == "Paused", seconds=60
    )
    await delivery.until(
        lambda app: (
            (app["status"]["sync"]["status"], app["status"]["health"]["status"]) == ("Synced", "Suspended")
            and app["status"]["sync"]["revision"] == commit
        )
    )
    assert paused["metadata"]["annotations"]["tiphys.dev/delivery"].endswith(commit)
    selected = (await delivery.get("Service", "canary") or {})["spec"]["selector"]
    assert selected["rollouts-pod-template-hash"] == paused["status"]["currentPodHash"]
    promoted = await delivery.stack.tiphys("rollout", "promote", f"{delivery.namespace}/web")
    assert promoted.code == 0, promoted.err
    await delivery.until(synced_to(commit), seconds=60)
    assert await told(delivery, "paused") == {"slack": ("deployments",)}
    assert await told(delivery, "completed") == {}
    trace = await delivery.stack.tiphys("trace", commit)
    for words in ("rollout updated", "rollout step-completed", "rollout paused", "rollout completed"):
        assert words in trace.out


async def told(delivery: Delivery, what: str) -> dict[str, tuple[str, ...]]:
    """Whom the bus names for the first event of a kind."""
    subject = RolloutEvent.filter_for(delivery.namespace, "web").replace("*", what, 1)
    async with connect(delivery.stack.state.nats_url, service="tests") as bus, asyncio.timeout(60):
        async for envelope in bus.replay(subject, follow=True):
            event = envelope.event()
            if isinstance(event, RolloutEvent):
                return event.subscribers
    raise AssertionError(f"nothing was told of {subject}")
