"""Which failures the client hides, which it reports, and how its errors read."""

import asyncio
from collections.abc import AsyncIterator

import hypothesis
import hypothesis.strategies as st
import pytest

from shared.kube import (
    AlreadyExists,
    ApiError,
    Cluster,
    Conflict,
    Forbidden,
    InternalError,
    Invalid,
    NoCluster,
    NotFound,
    Resource,
    ServerTimeout,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    connect,
    connect_secret,
    verbs,
)
from shared.kube.client import lines
from shared.kube.errors import MESSAGE_LIMIT, from_status
from tests.kube.tools import CONFIG_MAPS, config_map, put, service_account
from tests.parts.cluster import ClusterUnderTest
from tests.parts.faultproxy import FaultProxy

MAPS = "/configmaps"
SECRETS = Resource("", "v1", "Secret", "secrets", namespaced=True)
SERVICES = Resource("", "v1", "Service", "services", namespaced=True)


async def test_a_read_survives_a_connection_that_breaks_once(
    through: Cluster, proxy: FaultProxy, namespace: str
) -> None:
    await put(through, namespace, "a", v="1")
    proxy.reset(MAPS, times=2)
    assert await verbs.list_(through, CONFIG_MAPS, namespace)
    proxy.reset(MAPS)
    with pytest.raises(Unavailable, match="can't be reached") as failure:
        await verbs.list_(through, CONFIG_MAPS, namespace)
    assert failure.value.retriable


async def test_a_create_whose_answer_was_lost_is_not_repeated(
    through: Cluster, proxy: FaultProxy, namespace: str
) -> None:
    proxy.lose("POST .*/configmaps", times=1)
    with pytest.raises(Unavailable):
        await verbs.create(through, CONFIG_MAPS, config_map(namespace, "a"))
    assert proxy.count("create", "configmaps") == 1
    with pytest.raises(AlreadyExists):
        await verbs.create(through, CONFIG_MAPS, config_map(namespace, "a"))


async def test_an_apply_whose_answer_was_lost_is_repeated(through: Cluster, proxy: FaultProxy, namespace: str) -> None:
    proxy.lose("PATCH", times=1)
    assert (await put(through, namespace, "a", v="1"))["data"] == {"v": "1"}
    assert proxy.count("apply", "configmaps") == 2


async def test_a_server_that_is_too_busy_is_asked_again_when_it_says(
    through: Cluster, proxy: FaultProxy, namespace: str
) -> None:
    proxy.fail("POST .*/configmaps", 429, times=1, retry_after=0)
    await verbs.create(through, CONFIG_MAPS, config_map(namespace, "a"))
    proxy.fail("POST .*/configmaps", 429, times=1)
    with pytest.raises(TooManyRequests) as failure:
        await verbs.create(through, CONFIG_MAPS, config_map(namespace, "b"))
    assert failure.value.retriable


async def test_a_server_that_does_not_answer_costs_no_more_than_the_timeout(
    through: Cluster, proxy: FaultProxy
) -> None:
    proxy.hang("/version")
    with pytest.raises(ServerTimeout, match="GET /version"):
        await through.request("GET", "/version", timeout=0.2)


async def test_a_wait_beyond_the_deadline_is_not_begun(through: Cluster, proxy: FaultProxy) -> None:
    proxy.fail("/version", 429, retry_after=20)
    with pytest.raises(TooManyRequests) as failure:
        await through.request("GET", "/version", timeout=15)
    assert failure.value.retry_after == 20
    assert proxy.count("get") == 1


async def test_an_invalid_object_names_its_fields(api: Cluster, namespace: str) -> None:
    service = {"metadata": {"name": "s", "namespace": namespace}, "spec": {"ports": [{"port": 0}, {"port": 99999}]}}
    with pytest.raises(Invalid) as failure:
        await verbs.create(api, SERVICES, service)
    assert {cause.field for cause in failure.value.causes} >= {"spec.ports[0].port", "spec.ports[1].port"}
    assert (failure.value.status, failure.value.reason, failure.value.retriable) == (422, "Invalid", False)


async def test_a_field_of_the_wrong_name_is_invalid_not_a_server_fault(api: Cluster, namespace: str) -> None:
    wrong = config_map(namespace, "a") | {"datas": {}}
    with pytest.raises(Invalid, match="datas") as failure:
        await verbs.apply(api, CONFIG_MAPS, wrong, manager="test")
    assert not failure.value.retriable


async def test_a_secret_that_is_refused_does_not_show_its_values(api: Cluster, namespace: str) -> None:
    metadata = {"name": "s", "namespace": namespace}
    data = {"hunter2/bad": "aHVudGVyMg=="}
    with pytest.raises(Invalid) as failure:
        await verbs.create(api, SECRETS, {"metadata": metadata, "data": data})
    assert "hunter2/bad" not in f"{failure.value} {failure.value.causes}".replace("data[hunter2/bad]", "")


async def test_fields_of_another_manager_are_a_conflict_that_retrying_does_not_solve(
    api: Cluster, namespace: str
) -> None:
    await put(api, namespace, "a", v="1")
    with pytest.raises(Conflict) as failure:
        await verbs.apply(api, CONFIG_MAPS, config_map(namespace, "a", v="2"), manager="other")
    assert [cause.field for cause in failure.value.managers] == [".data.v"]
    assert not failure.value.retriable
    forced = await verbs.apply(api, CONFIG_MAPS, config_map(namespace, "a", v="2"), manager="other", force=True)
    assert forced["data"] == {"v": "2"}


async def test_an_old_version_is_a_conflict_that_reading_again_solves(api: Cluster, namespace: str) -> None:
    old = await put(api, namespace, "a", v="1")
    await put(api, namespace, "a", v="2")
    with pytest.raises(Conflict) as failure:
        await verbs.update(api, CONFIG_MAPS, old)
    assert failure.value.retriable


async def test_another_incarnation_is_not_deleted(api: Cluster, namespace: str) -> None:
    made = await put(api, namespace, "a", v="1")
    with pytest.raises(Conflict):
        await verbs.delete(api, CONFIG_MAPS, namespace, "a", uid="00000000-0000-0000-0000-000000000000")
    await verbs.delete(api, CONFIG_MAPS, namespace, "a", uid=made["metadata"]["uid"])
    with pytest.raises(NotFound):
        await verbs.get(api, CONFIG_MAPS, namespace, "a")


async def test_what_the_account_may_not_do_is_forbidden(cluster: ClusterUnderTest, namespace: str) -> None:
    async with connect_secret(service_account(cluster, namespace)) as api:
        with pytest.raises(Forbidden, match="cannot list resource") as failure:
            await verbs.list_(api, CONFIG_MAPS, namespace)
    assert not failure.value.retriable


async def test_another_account_can_be_stood_in_for(api: Cluster, namespace: str) -> None:
    await put(api, namespace, "a", v="1")
    account = api.impersonating(f"system:serviceaccount:{namespace}:default", ("system:authenticated",))
    with pytest.raises(Forbidden, match=f"system:serviceaccount:{namespace}:default"):
        await verbs.list_(account, CONFIG_MAPS, namespace)
    assert await verbs.list_(api, CONFIG_MAPS, namespace)


async def test_a_dry_run_changes_nothing(through: Cluster, proxy: FaultProxy, namespace: str) -> None:
    predicted = await verbs.apply(through, CONFIG_MAPS, config_map(namespace, "a", v="1"), manager="test", dry_run=True)
    assert predicted["data"] == {"v": "1"}
    assert proxy.writes() == []
    with pytest.raises(NotFound):
        await verbs.get(through, CONFIG_MAPS, namespace, "a")


async def test_no_cluster_is_chosen_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(NoCluster, match="give a kubeconfig"):
        async with connect(None, None):
            pass


@hypothesis.given(st.lists(st.binary(max_size=9)), st.integers(1, 7))
def test_a_stream_is_cut_into_its_lines_wherever_it_was_cut_before(parts: list[bytes], size: int) -> None:
    whole = b"".join(part.replace(b"\n", b"") + b"\n" for part in parts)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), size):
            yield whole[start : start + size]

    async def collect() -> list[bytes]:
        return [line async for batch in lines(chunks()) for line in batch]

    assert asyncio.run(collect()) == whole.split(b"\n")[:-1]


def test_bodies_that_are_no_status_are_clipped_and_redacted() -> None:
    error = from_status(b"<html>proxy says: password=hunter22 " + b"x" * 5000, 502)
    assert isinstance(error, Unavailable)
    assert "hunter22" not in error.message
    assert len(error.message) < 300
    long = from_status(b'{"kind":"Status","message":"' + b"y" * 5000 + b'"}', 500)
    assert isinstance(long, InternalError)
    assert len(long.message) == MESSAGE_LIMIT


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (429, TooManyRequests),
        (504, ServerTimeout),
        (418, ApiError),
    ],
)
def test_a_status_code_alone_says_the_kind_of_error(status: int, kind: type[ApiError]) -> None:
    assert type(from_status(b"", status)) is kind
