"""Self-heal: what someone changes or deletes by hand comes back at once, and only that is touched."""

import asyncio
from typing import Any

from tests.parts.delivery import Delivery, complains, config_map, synced

Obj = dict[str, Any]
HEAL = {"selfHeal": True}


async def test_a_changed_object_is_put_right_and_nothing_else_is_touched(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a", key="git"), "app/b.json": config_map("b")})
    await delivery.apply(delivery.application(automated=HEAL))
    await delivery.until(synced)
    before = await delivery.get("ConfigMap", "b")
    live = await delivery.get("ConfigMap", "a")
    assert live is not None
    await delivery.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": delivery.namespace}}
        | {"data": {"key": "by hand"}}
    )
    await delivery.until_object("", "ConfigMap", "a", lambda obj: obj["data"] == {"key": "git"})
    app = await delivery.until(lambda app: app["status"]["operationState"]["operation"]["sync"].get("resources"))
    chosen = app["status"]["operationState"]["operation"]["sync"]["resources"]
    assert [(one["kind"], one["name"], one["namespace"]) for one in chosen] == [("ConfigMap", "a", delivery.namespace)]
    assert await delivery.get("ConfigMap", "b") == before


async def test_a_deleted_object_comes_back(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    await delivery.apply(delivery.application(automated=HEAL))
    await delivery.until(synced)
    live = await delivery.get("ConfigMap", "a")
    assert live is not None
    await delivery.delete("ConfigMap", "a")
    await delivery.until_object("", "ConfigMap", "a", lambda obj: obj["metadata"]["uid"] != live["metadata"]["uid"])


async def test_without_self_heal_a_drift_is_only_shown(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a", key="git")})
    await delivery.apply(delivery.application(automated={}))
    first = await delivery.until(synced)
    await delivery.delete("ConfigMap", "a")
    app = await delivery.until(lambda app: app["status"]["sync"]["status"] == "OutOfSync")
    assert app["status"]["operationState"]["startedAt"] == first["status"]["operationState"]["startedAt"]
    assert await delivery.get("ConfigMap", "a") is None


async def test_a_fight_over_an_object_is_said_with_the_time_of_the_next_attempt(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a", key="git")})
    await delivery.apply(delivery.application(automated=HEAL))
    await delivery.until(synced)
    by_hand = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"key": "by hand"}}
    by_hand["metadata"] = {"name": "a", "namespace": delivery.namespace}
    told = asyncio.create_task(delivery.until(said_after_several, seconds=200))
    while not told.done():  # the more heals, the longer the pause in which it is said
        await delivery.until_object("", "ConfigMap", "a", lambda obj: obj["data"] == {"key": "git"})
        await delivery.until(lambda app: synced(app) and "SyncError" not in str(app["status"].get("conditions")))
        await delivery.apply(by_hand)
        await asyncio.wait({told}, timeout=1)
    assert await told
    await delivery.until_object("", "ConfigMap", "a", lambda obj: obj["data"] == {"key": "git"})
    await delivery.until(lambda app: synced(app) and "SyncError" not in str(app["status"].get("conditions")))


def said_after_several(app: Obj) -> bool:
    return any(complains("SyncError", f"Healed {n} times in a row", "next attempt at 20")(app) for n in range(2, 6))
