"""Pruning: only with `prune`, never what says otherwise, never on an error, never everything unless that is allowed."""

from tests.parts.delivery import Delivery, config_map, synced, synced_to

PRUNE = {"prune": True, "selfHeal": True}


async def test_a_manifest_that_is_removed_is_pruned(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a"), "app/b.json": config_map("b")})
    await delivery.apply(delivery.application(automated=PRUNE))
    await delivery.until(synced)
    commit = await delivery.push({}, remove=("app/b.json",))
    app = await delivery.until(synced_to(commit))
    assert await delivery.get("ConfigMap", "b") is None
    assert await delivery.get("ConfigMap", "a") is not None
    results = {one["name"]: one["status"] for one in app["status"]["operationState"]["syncResult"]["resources"]}
    assert results["b"] == "Pruned"


async def test_without_prune_it_stays_and_is_shown_as_requiring_it(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a"), "app/b.json": config_map("b")})
    await delivery.apply(delivery.application(automated={}))
    await delivery.until(synced)
    await delivery.push({}, remove=("app/b.json",))
    app = await delivery.until(lambda app: app["status"]["sync"]["status"] == "OutOfSync")
    extra = next(one for one in app["status"]["resources"] if one["name"] == "b")
    assert (extra["status"], extra["requiresPruning"]) == ("OutOfSync", True)
    assert await delivery.get("ConfigMap", "b") is not None


async def test_an_object_may_refuse_to_be_pruned(delivery: Delivery) -> None:
    kept = config_map("kept").replace(
        b'"name":"kept"', b'"name":"kept","annotations":{"argocd.argoproj.io/sync-options":"Prune=false"}'
    )
    delivery.begin({"app/a.json": config_map("a"), "app/kept.json": kept})
    await delivery.apply(delivery.application(automated=PRUNE))
    await delivery.until(synced)
    commit = await delivery.push({}, remove=("app/kept.json",))
    await delivery.until(lambda app: app["status"]["operationState"].get("syncResult", {}).get("revision") == commit)
    assert await delivery.get("ConfigMap", "kept") is not None


async def test_an_empty_folder_prunes_nothing_unless_that_is_allowed(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a"), "app/README.md": b"kept so that the folder stays"})
    await delivery.apply(delivery.application(automated=PRUNE))
    await delivery.until(synced)
    await delivery.push({}, remove=("app/a.json",))
    await delivery.until(lambda app: "wipe out all resources" in str(app["status"].get("conditions")))
    assert await delivery.get("ConfigMap", "a") is not None
    await delivery.patch({"spec": {"syncPolicy": {"automated": {**PRUNE, "allowEmpty": True}}}})
    await delivery.until_gone("", "ConfigMap", "a")
