"""An API server that fails while an object is deleted and made again, or taken over: nothing is lost by it."""

from typing import Any

import pytest

from tests.parts.faultproxy import FaultProxy
from tests.write.conftest import Desk

Obj = dict[str, Any]
BOTH = ["Replace=true", "Force=true"]
IT = r"PATCH \S*/configmaps/it\?"


def config_map(**data: str) -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}, "data": data}


async def test_what_was_deleted_is_made_again_as_soon_as_the_server_can(shaky: Desk, proxy: FaultProxy) -> None:
    await shaky.write(shaky.target(config_map(a="1")))
    proxy.fail(IT, status=500, times=3)
    outcome = await shaky.write(shaky.target(config_map(a="2")), BOTH)
    assert (outcome.status, outcome.message) == ("Synced", "configmap/it replaced")
    assert shaky.get("configmap", "it")["data"] == {"a": "2"}


@pytest.mark.parametrize(("what", "status"), [("PATCH .*trial", 500), ("PATCH .*trial", 403), ("DELETE", 500)])
async def test_nothing_is_deleted_while_the_server_does_not_say_that_it_may(
    shaky: Desk, proxy: FaultProxy, what: str, status: int
) -> None:
    await shaky.write(shaky.target(config_map(a="1")))
    proxy.fail(what, status=status)
    outcome = await shaky.write(shaky.target(config_map(a="2")), BOTH)
    assert outcome.status == "SyncFailed"
    assert shaky.get("configmap", "it")["data"] == {"a": "1"}


async def test_a_force_deletes_nothing_for_an_error_that_says_nothing_about_the_object(
    shaky: Desk, proxy: FaultProxy
) -> None:
    await shaky.write(shaky.target(config_map(a="1")))
    for status in (403, 409, 429, 500):
        rule = proxy.fail(IT, status=status, times=1)
        outcome = await shaky.write(shaky.target(config_map(a="2")), ["Force=true"])
        rule.cancel()
        assert outcome.status == "SyncFailed"
    assert proxy.count("delete", "configmaps") == 0


async def test_an_object_that_moved_meanwhile_is_taken_over_all_the_same(shaky: Desk, proxy: FaultProxy) -> None:
    shaky.kubectl_apply(config_map(a="1", b="2"))
    await shaky.seen(shaky.target(config_map()))
    moved = proxy.fail(r"PATCH \S*/configmaps/it$", status=409, reason="Conflict", times=1)
    outcome = await shaky.write(shaky.target(config_map(a="1")))
    assert (moved.hits, outcome.status) == (1, "Synced")
    assert shaky.get("configmap", "it")["data"] == {"a": "1"}
