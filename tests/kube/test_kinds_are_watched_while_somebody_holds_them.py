"""Informers on demand: the first holder starts one, the last one ends it."""

import pytest

from shared.kube import Cluster, Forbidden, Informer, LiveObject, Resource, Watches, live_object
from tests.kube.tools import CONFIG_MAPS, put
from tests.parts.faultproxy import FaultProxy

SECRETS = Resource("", "v1", "Secret", "secrets", namespaced=True)


def watches_of(cluster: Cluster, namespace: str) -> tuple[Watches[LiveObject], list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []

    def make(resource: Resource) -> Informer[LiveObject]:
        return Informer(cluster, resource, live_object, namespace=namespace)

    return Watches(make, lambda resource, _type, key, _new, _old: told.append((resource.kind, key.name))), told


async def test_two_holders_share_one_watch_and_the_last_ends_it(
    through: Cluster, proxy: FaultProxy, namespace: str
) -> None:
    await put(through, namespace, "a", v="1")
    watches, told = watches_of(through, namespace)
    async with watches.running():
        first = await watches.ensure(CONFIG_MAPS, "app-1")
        assert await watches.ensure(CONFIG_MAPS, "app-2") is first
        await proxy.watched("configmaps")
        watches.release(CONFIG_MAPS, "app-1")
        assert watches.resources() == (CONFIG_MAPS,)
        watches.release(CONFIG_MAPS, "app-2")
        assert watches.resources() == ()
    assert ("ConfigMap", "a") in told
    assert proxy.count("list", "configmaps") == 1


async def test_a_kind_that_may_not_be_listed_does_not_stop_the_others(
    through: Cluster, proxy: FaultProxy, namespace: str
) -> None:
    proxy.fail("/secrets", 403)
    watches, _ = watches_of(through, namespace)
    async with watches.running():
        with pytest.raises(Forbidden):
            await watches.ensure(SECRETS, "app-1")
        assert await watches.ensure(CONFIG_MAPS, "app-1")
