"""What controllers tell Kubernetes about themselves: Events, leases, conditions."""

import asyncio
import time
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from shared.kube import Cluster, Fenced, Lease, LeaseLost, Recorder, conditions, verbs
from shared.kube.leases import LEASES
from shared.kube.recorder import EVENTS
from tests.kube.tools import CONFIG_MAPS, put
from tests.parts.faultproxy import FaultProxy

CONTROLLER = "argocd-application-controller"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 13, tzinfo=UTC)


async def test_an_event_is_written_as_kubectl_describe_wants_it(api: Cluster, namespace: str) -> None:
    obj = await put(api, namespace, "a", v="1")
    recorder = Recorder(api, CONTROLLER)
    recorder.record(obj, "OperationCompleted", "Sync operation succeeded", labels={"x": "y"})
    await recorder.flush()
    (event,) = await verbs.list_(api, EVENTS, namespace)
    assert event["involvedObject"] | {"resourceVersion": ""} == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "namespace": namespace,
        "name": "a",
        "uid": obj["metadata"]["uid"],
        "resourceVersion": "",
    }
    assert (event["reason"], event["message"], event["type"]) == (
        "OperationCompleted",
        "Sync operation succeeded",
        "Normal",
    )
    assert event["source"] == {"component": CONTROLLER}
    assert (event["count"], event["metadata"]["labels"]) == (1, {"x": "y"})
    assert event["firstTimestamp"] == event["lastTimestamp"]


async def test_the_same_event_again_is_counted(api: Cluster, namespace: str) -> None:
    obj = await put(api, namespace, "a", v="1")
    recorder = Recorder(api, CONTROLLER)
    for _ in range(3):
        recorder.record(obj, "ResourceUpdated", "again", type_="Warning")
        await recorder.flush()
    recorder.record(obj, "ResourceUpdated", "another message")
    await recorder.flush()
    found = await verbs.list_(api, EVENTS, namespace)
    assert sorted((event["message"], event["count"]) for event in found) == [("again", 3), ("another message", 1)]


async def test_one_object_cannot_flood_the_cluster(through: Cluster, proxy: FaultProxy, namespace: str) -> None:
    obj = await put(through, namespace, "a", v="1")
    recorder = Recorder(through, CONTROLLER, burst=5)
    for number in range(100):
        recorder.record(obj, "Reason", f"message {number}")
    await recorder.flush()
    assert proxy.count("create", "events") == 5
    assert recorder.dropped == 95


async def test_what_does_not_fit_is_combined_then_dropped_and_said_once(api: Cluster, namespace: str) -> None:
    objects = [await put(api, namespace, name, v="1") for name in ("a", "b", "c")]
    recorder = Recorder(api, CONTROLLER, buffer=1)
    with capture_logs() as said:
        for obj in objects:
            for number in range(3):
                recorder.record(obj, "Scaled", f"to {number}")
    assert recorder.dropped == 6  # all of b and c
    assert [one["log_level"] for one in said] == ["warning"]
    await recorder.flush()
    recorder.record(objects[2], "Scaled", "there is room again")
    await recorder.flush()
    found = await verbs.list_(api, EVENTS, namespace)
    assert sorted((one["involvedObject"]["name"], one["message"], one["count"]) for one in found) == [
        ("a", "(combined from similar events): to 2", 2),
        ("a", "to 0", 1),
        ("c", "there is room again", 1),
    ]


async def test_events_that_cannot_be_written_harm_nobody(through: Cluster, proxy: FaultProxy, namespace: str) -> None:
    obj = await put(through, namespace, "a", v="1")
    proxy.fail("/events", 403)
    recorder = Recorder(through, CONTROLLER)
    running = asyncio.create_task(recorder.run())
    recorder.record(obj, "Reason", "refused")
    await proxy.until(1, "create", "events")
    proxy.clear()
    recorder.record(obj, "Reason", "written, token=hunter2222")
    await proxy.until(2, "create", "events")
    running.cancel()
    await asyncio.wait({running})
    assert "hunter2222" not in str(await verbs.list_(through, EVENTS, namespace))


async def test_a_lease_has_one_holder_and_passes_on_when_it_is_given_back(api: Cluster, namespace: str) -> None:
    order: list[tuple[str, int]] = []
    inside = asyncio.Semaphore(1)

    async def candidate(name: str) -> None:
        async with Lease(api, namespace, "one", name, seconds=60, retry=0.1).held() as term:
            assert not inside.locked()
            async with inside:
                order.append((name, term))
                await verbs.get(api, LEASES, namespace, "one")

    await asyncio.gather(*(candidate(name) for name in "abc"))
    assert sorted(name for name, _ in order) == ["a", "b", "c"]
    assert [term for _, term in order] == [0, 1, 2]


async def test_a_lease_that_is_not_renewed_is_taken_over(api: Cluster, namespace: str) -> None:
    first = Lease(api, namespace, "one", "first", seconds=1, retry=0.1)
    assert await first.try_acquire()
    second = Lease(api, namespace, "one", "second", seconds=60, retry=0.1)
    assert not await second.try_acquire()
    async with asyncio.timeout(60), second.held() as term:
        assert term == 1
        assert not await first.try_acquire()


async def test_a_holder_that_cannot_renew_stops_before_others_may_start(
    through: Cluster, proxy: FaultProxy, namespace: str
) -> None:
    async def work() -> None:
        async with Lease(through, namespace, "one", "it", seconds=1, retry=0.1).held():
            proxy.fail("/leases", 500)
            await asyncio.Event().wait()

    with pytest.raises(LeaseLost, match="could not be renewed"):
        await work()


async def test_a_holder_that_stood_still_past_its_time_writes_nothing(api: Cluster, namespace: str) -> None:
    lease = Lease(api, namespace, "one", "it", seconds=1, retry=0.1)
    fenced = api.fenced(lease.holds)
    async with lease.held():
        time.sleep(1.1)  # noqa: ASYNC251 - as a process that is stopped by a signal
        with pytest.raises(Fenced, match="another one may be working on it"):
            await put(fenced, namespace, "late", v="1")
        while not lease.holds():  # noqa: ASYNC110 - it is renewed, as nobody else was waiting
            await asyncio.sleep(0.05)
        await put(fenced, namespace, "again", v="1")
    assert not lease.holds()
    names = {one["metadata"]["name"] for one in await verbs.list_(fenced, CONFIG_MAPS, namespace)}
    assert (names & {"late", "again"}) == {"again"}


def test_a_condition_keeps_its_time_until_its_status_turns() -> None:
    first = conditions.mark_false([], "Ready", "Starting", " not yet ", now=NOON, generation=1)
    same = conditions.mark_false(first, "Ready", "Waiting", "still not", now=LATER, generation=2)
    turned = conditions.mark_true(same, "Ready", "Done", now=LATER)
    assert first[0]["message"] == "not yet"
    assert (same[0]["lastTransitionTime"], same[0]["reason"]) == ("2026-11-23T12:00:00Z", "Waiting")
    assert same[0]["observedGeneration"] == 2
    assert turned[0]["lastTransitionTime"] == "2026-11-23T13:00:00Z"
    assert conditions.is_true(turned, "Ready")
    assert not conditions.is_true(same, "Ready")


def test_conditions_are_sorted_and_leave_each_other_alone() -> None:
    found = conditions.mark_true([], "Zeta", "A", now=NOON)
    found = conditions.mark_unknown(found, "Alpha", "B", now=NOON)
    assert [one["type"] for one in found] == ["Alpha", "Zeta"]
    assert conditions.without(found, "Zeta") == found[:1]
