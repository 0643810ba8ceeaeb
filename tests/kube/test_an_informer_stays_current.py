"""What an informer knows is what the cluster has, through broken connections, forgotten versions and silence.

Not tested: compaction of a real etcd (the 410 that follows from it is answered by the proxy), clock jumps.
"""

import asyncio

import orjson
import pytest

from shared.kube import Cluster, Forbidden, Informer, Key, NotFound, Resource, compact, live_object, metadata, verbs
from tests.kube.tools import CONFIG_MAPS, Said, config_map, put, remove, watching
from tests.parts.faultproxy import FaultProxy

MAPS = r"^GET .*/configmaps"
LISTS = r"^GET .*/configmaps(?!.*watch=)"
WATCHES = r"^GET .*/configmaps.*watch="


async def test_changes_are_told_with_the_object_before_and_after(api: Cluster, namespace: str) -> None:
    await put(api, namespace, "a", v="1")
    async with watching(api, namespace) as seen:
        await put(api, namespace, "a", v="2")
        await remove(api, namespace, "a")
        await seen.until(lambda: len(seen.said) == 3)
    assert seen.said == [Said("ADDED", "a", "", "1"), Said("MODIFIED", "a", "1", "2"), Said("DELETED", "a", "2", "2")]


async def test_a_list_is_read_in_pages_and_its_items_know_their_kind(api: Cluster, namespace: str) -> None:
    await asyncio.gather(*(put(api, namespace, f"m-{n}", v=str(n)) for n in range(23)))
    async with watching(api, namespace, page_size=5) as seen:
        assert len(seen.said) == len(seen.informer.store) == 23
        found = seen.informer.store[Key(namespace, "m-7")]
    assert (found.kind, found.api_version, found.load()["data"]) == ("ConfigMap", "v1", {"v": "7"})


async def test_a_cut_watch_goes_on_where_it_was(through: Cluster, proxy: FaultProxy, namespace: str) -> None:
    await put(through, namespace, "a", v="1")
    async with watching(through, namespace) as seen:
        await proxy.watched()
        down = proxy.fail(WATCHES, status=503)
        await proxy.cut()
        await put(through, namespace, "b", v="1")
        await put(through, namespace, "a", v="2")
        await remove(through, namespace, "b")
        down.cancel()
        await seen.until(lambda: len(seen.said) == 4)
    assert [one.type for one in seen.said] == ["ADDED", "ADDED", "MODIFIED", "DELETED"]
    assert proxy.count("list", "configmaps") == 1


@pytest.mark.parametrize("how", ["answer", "event"])
async def test_a_forgotten_version_leads_to_a_list_that_makes_up_for_what_was_missed(
    through: Cluster, proxy: FaultProxy, namespace: str, how: str
) -> None:
    for name in ("gone", "same", "changed", "anew"):
        await put(through, namespace, name, v="1")
    async with watching(through, namespace) as seen:
        await proxy.watched()
        seen.said.clear()
        down = proxy.reset(MAPS.replace("GET", "GET"))
        await proxy.cut()
        await remove(through, namespace, "gone")
        await remove(through, namespace, "anew")
        await put(through, namespace, "anew", v="2")
        await put(through, namespace, "changed", v="2")
        await put(through, namespace, "fresh", v="1")
        if how == "answer":
            proxy.gone(WATCHES)
            down.cancel()
        else:
            proxy.gone(WATCHES)
            down.cancel()
            await proxy.watched()
            await proxy.say("", b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}')
        await seen.until(lambda: len(seen.said) >= 5)
        assert seen.names() == {"same", "changed", "anew", "fresh"}
    assert sorted(seen.said) == [
        Said("ADDED", "anew", "", "2"),
        Said("ADDED", "fresh", "", "1"),
        Said("DELETED", "anew", "1", "1"),
        Said("DELETED", "gone", "1", "1"),
        Said("MODIFIED", "changed", "1", "2"),
    ]


async def test_an_expired_event_relists_and_says_nothing_when_nothing_changed(
    through: Cluster, proxy: FaultProxy, namespace: str
) -> None:
    await put(through, namespace, "a", v="1")
    async with watching(through, namespace) as seen:
        await proxy.watched()
        await proxy.say("", b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}')
        await proxy.until(2, "list", "configmaps")
        await proxy.until(2, "watch", "configmaps")
        await put(through, namespace, "b", v="1")
        await seen.until(lambda: len(seen.said) == 2)
    assert [(one.type, one.name) for one in seen.said] == [("ADDED", "a"), ("ADDED", "b")]


async def test_a_failing_server_empties_nothing(through: Cluster, proxy: FaultProxy, namespace: str) -> None:
    await put(through, namespace, "a", v="1")
    async with watching(through, namespace) as seen:
        await proxy.watched()
        proxy.gone(WATCHES)
        broken = proxy.fail(LISTS, status=500, times=3)
        await proxy.cut()
        await proxy.until(4, "list", "configmaps")
        assert seen.names() == {"a"}
        assert broken.spent
        await put(through, namespace, "b", v="1")
        await seen.until(lambda: len(seen.said) == 2)
    assert [one.type for one in seen.said] == ["ADDED", "ADDED"]


async def test_a_list_whose_token_expires_is_read_again_whole(
    through: Cluster, proxy: FaultProxy, namespace: str
) -> None:
    await asyncio.gather(*(put(through, namespace, f"m-{n}", v="1") for n in range(9)))
    proxy.gone(r"continue=")
    async with watching(through, namespace, page_size=4) as seen:
        assert len(seen.said) == 9


@pytest.mark.parametrize(("status", "reason"), [(500, "InternalError"), (410, "Expired")])
async def test_a_list_that_breaks_off_between_its_pages_empties_nothing(
    through: Cluster, proxy: FaultProxy, namespace: str, status: int, reason: str
) -> None:
    await asyncio.gather(*(put(through, namespace, f"m-{n}", v="1") for n in range(9)))
    async with watching(through, namespace, page_size=4) as seen:
        await proxy.watched()
        broken = proxy.fail(r"continue=", status, reason=reason, times=3)
        proxy.gone(WATCHES)
        await proxy.cut()
        await proxy.until(5, "list", "configmaps")
        await put(through, namespace, "z", v="1")
        await seen.until(lambda: len(seen.said) == 10)
        assert broken.hits
    assert {one.type for one in seen.said} == {"ADDED"}


async def test_a_silent_watch_is_given_up_and_resumed(through: Cluster, proxy: FaultProxy, namespace: str) -> None:
    async with watching(through, namespace, idle=0.3) as seen:
        await proxy.until(3, "watch", "configmaps")
        await put(through, namespace, "a", v="1")
        await seen.until(lambda: len(seen.said) == 1)
    assert proxy.count("list", "configmaps") == 1


async def test_an_object_of_more_than_a_megabyte_comes_through_the_watch(api: Cluster, namespace: str) -> None:
    async with watching(api, namespace) as seen:
        await put(api, namespace, "large", v="x" * 1_000_000)
        await seen.until(lambda: len(seen.said) == 1)
    assert len(seen.said[0].new) == 1_000_000


async def test_a_page_of_twenty_megabytes_is_read(api: Cluster, namespace: str) -> None:
    large = (config_map(namespace, f"m-{n}", v="x" * 1_020_000) for n in range(20))
    await asyncio.gather(*(verbs.create(api, CONFIG_MAPS, obj) for obj in large))
    async with watching(api, namespace) as seen:
        assert sum(len(one.raw) for one in seen.informer.store.values()) > 20_000_000


async def test_an_object_that_cannot_be_read_keeps_its_last_good_value(api: Cluster, namespace: str) -> None:
    def picky(raw: bytes) -> str:
        found = str(orjson.loads(raw)["data"]["v"])
        if found == "bad":
            raise ValueError("no")
        return found

    await put(api, namespace, "a", v="good")
    informer = Informer(api, CONFIG_MAPS, picky, namespace=namespace, label_selector="test=kube")
    events: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    task = asyncio.create_task(informer.run(lambda type_, _key, obj, _old: events.put_nowait((type_, obj))))
    await informer.listed(60)
    await put(api, namespace, "a", v="bad")
    await put(api, namespace, "b", v="other")
    assert [await events.get(), await events.get()] == [("ADDED", "good"), ("ADDED", "other")]
    assert informer.store[Key(namespace, "a")] == "good"
    await remove(api, namespace, "a")
    assert await asyncio.wait_for(events.get(), 60) == ("DELETED", "good")
    task.cancel()
    await asyncio.wait({task})


async def test_the_answer_of_a_write_is_known_at_once_and_not_told_twice(api: Cluster, namespace: str) -> None:
    async with watching(api, namespace) as seen:
        first = compact(await put(api, namespace, "a", v="1"))
        second = compact(await put(api, namespace, "a", v="2"))
        seen.informer.note(second)
        seen.informer.note(first)
        assert seen.informer.store[Key(namespace, "a")].raw == second
        await put(api, namespace, "b", v="1")
        await seen.until(lambda: "b" in seen.names())
    assert [(one.name, one.new) for one in seen.said if one.name == "a"][-1] == ("a", "2")
    assert [one.type for one in seen.said if (one.name, one.new) == ("a", "2")] in (["ADDED"], ["MODIFIED"])


async def test_what_was_noted_but_never_watched_is_missed_by_the_next_list(
    through: Cluster, proxy: FaultProxy, namespace: str
) -> None:
    async with watching(through, namespace) as seen:
        await proxy.watched()
        proxy.gone(WATCHES, times=None)
        await proxy.cut()
        seen.informer.note(compact(await put(through, namespace, "ghost", v="1")))
        await remove(through, namespace, "ghost")
        proxy.clear()
        await seen.until(lambda: len(seen.said) == 2)
    assert [(one.type, one.name) for one in seen.said] == [("ADDED", "ghost"), ("DELETED", "ghost")]


async def test_metadata_alone_leaves_the_bodies_at_the_server(api: Cluster, namespace: str) -> None:
    await put(api, namespace, "a", v="1")
    sizes: list[int] = []

    def measured(raw: bytes) -> str:
        sizes.append(len(raw))
        assert b'"data"' not in raw
        return metadata(raw).labels["test"]

    informer = Informer(api, CONFIG_MAPS, measured, namespace=namespace, label_selector="test=kube", metadata_only=True)
    events: asyncio.Queue[str] = asyncio.Queue()
    task = asyncio.create_task(informer.run(lambda _type, key, _obj, _old: events.put_nowait(key.name)))
    await informer.listed(60)
    await put(api, namespace, "b", v="1")
    async with asyncio.timeout(60):
        assert [await events.get(), await events.get()] == ["a", "b"]
    task.cancel()
    await asyncio.wait({task})
    assert informer.store == {Key(namespace, "a"): "kube", Key(namespace, "b"): "kube"}


async def test_what_keeps_the_first_list_from_coming_is_said_at_once(through: Cluster, proxy: FaultProxy) -> None:
    proxy.fail(MAPS, status=403, reason="Forbidden", message="not for you")
    refused = Informer(through, CONFIG_MAPS, live_object, namespace="default")
    missing = Informer(through, Resource("no.such", "v1", "Thing", "things", namespaced=True), live_object)
    tasks = [asyncio.create_task(informer.run()) for informer in (refused, missing)]
    with pytest.raises(Forbidden, match="not for you"):
        await refused.listed(60)
    with pytest.raises(NotFound):
        await missing.listed(60)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
