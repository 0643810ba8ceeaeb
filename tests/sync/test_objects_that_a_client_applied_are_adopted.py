"""Objects that `kubectl apply` or Argo CD made before: what leaves git leaves them too. How it is done: tests/write."""

from typing import Any

import orjson

from tests.parts.delivery import Delivery, config_map, synced, synced_to

Obj = dict[str, Any]


async def client_applies(delivery: Delivery, manager: str, **data: str) -> None:
    """Apply the ConfigMap as Argo CD does without server-side apply, tracking and all."""
    tracking = f"{delivery.app}:/ConfigMap:{delivery.namespace}/a"
    obj = orjson.loads(config_map("a", **data))
    obj["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": tracking}
    await delivery.stack.kubectl("create", "namespace", delivery.namespace)
    words = ("apply", "-n", delivery.namespace, f"--field-manager={manager}", "-f", "-")
    done = await delivery.stack.kubectl(*words, stdin=orjson.dumps(obj).decode())
    assert done.code == 0, done.err


async def test_an_object_in_sync_is_adopted_without_a_write_and_loses_later_what_leaves_git(delivery: Delivery) -> None:
    await client_applies(delivery, "argocd-controller", a="1", b="2")
    before = await delivery.get("ConfigMap", "a")
    delivery.begin({"app/a.json": config_map("a", a="1", b="2")})
    await delivery.apply(delivery.application(automated={}))
    await delivery.until(synced)
    assert await delivery.get("ConfigMap", "a") == before
    commit = await delivery.push({"app/a.json": config_map("a", a="1")})
    await delivery.until(synced_to(commit))
    live = await delivery.get("ConfigMap", "a")
    assert live
    assert live["data"] == {"a": "1"}


async def test_what_git_never_had_goes_at_the_first_sync(delivery: Delivery) -> None:
    await client_applies(delivery, "kubectl-client-side-apply", a="1", b="2")
    delivery.begin({"app/a.json": config_map("a", a="1")})
    await delivery.apply(delivery.application())
    await delivery.until(lambda app: app["status"]["sync"]["status"] == "OutOfSync")
    await delivery.patch({"operation": {"sync": {}}})
    await delivery.until_object("", "ConfigMap", "a", lambda obj: obj["data"] == {"a": "1"})
    await delivery.until(synced)
