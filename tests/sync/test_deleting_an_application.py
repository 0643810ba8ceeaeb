"""Deletion with the resources finalizer takes the objects along (foreground and background), without it leaves them."""

import pytest

from tests.parts.delivery import ARGO, Delivery, config_map, synced

FINALIZER = "resources-finalizer.argocd.argoproj.io"


@pytest.mark.parametrize("suffix", ["", "/foreground", "/background"])
async def test_with_the_finalizer_its_objects_go_first(delivery: Delivery, suffix: str) -> None:
    keeps = config_map("keeps").replace(
        b'"name":"keeps"', b'"name":"keeps","annotations":{"argocd.argoproj.io/sync-options":"Delete=false"}'
    )
    delivery.begin({"app/a.json": config_map("a"), "app/keeps.json": keeps})
    app = delivery.application(automated={})
    app["metadata"]["finalizers"] = [FINALIZER + suffix]
    await delivery.apply(app)
    await delivery.until(synced)
    await delivery.stack.kubectl("delete", "application", delivery.app, "-n", ARGO, "--wait=false")
    await delivery.until_gone("argoproj.io", "Application", delivery.app, ARGO)
    assert await delivery.get("ConfigMap", "a") is None
    assert await delivery.get("ConfigMap", "keeps") is not None


async def test_without_a_finalizer_they_stay(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    app = delivery.application(automated={})
    app["metadata"]["finalizers"] = []
    await delivery.apply(app)
    await delivery.until(synced)
    await delivery.stack.kubectl("delete", "application", delivery.app, "-n", ARGO)
    await delivery.until_gone("argoproj.io", "Application", delivery.app, ARGO)
    assert await delivery.get("ConfigMap", "a") is not None
