"""An operation is ended on request, tried again, and never lost to another one."""

from typing import Any

from tests.parts.delivery import Delivery, config_map, synced
from tests.sync.hooks import HOOK, Obj, ended, job, operation, results


async def stuck(delivery: Delivery, **automated: Any) -> None:
    """A sync whose PreSync hook waits to be resumed."""
    delivery.begin({"app/a.json": config_map("a"), "app/pre.json": job("pre", {HOOK: "PreSync"}, suspended=True)})
    await delivery.apply(delivery.application(**automated))


async def resume(delivery: Delivery) -> None:
    words = ("patch", "job", "pre", "-n", delivery.namespace, "--type=merge", "-p", '{"spec":{"suspend":false}}')
    done = await delivery.stack.kubectl(*words)
    assert done.code == 0, done.err


def running(app: Obj) -> bool:
    return results(app) == [("PreSync", "pre", "Running")] and bool(operation(app)["phase"] == "Running")


async def test_a_sync_is_ended_on_request_and_its_running_hook_with_it(delivery: Delivery) -> None:
    await stuck(delivery)
    await delivery.until(lambda app: app["status"]["sync"]["status"] == "OutOfSync")
    await delivery.patch({"operation": {"sync": {}, "retry": {"limit": 5}}})
    await delivery.until(running)
    done = await delivery.stack.tiphys("app", "terminate-op", delivery.app)
    assert done.code == 0, done.err
    app = await delivery.until(ended("Failed", "Operation terminated"))
    assert results(app) == [("PreSync", "pre", "Failed")]
    assert "history" not in app["status"]
    assert await delivery.get("Job", "pre", "batch") is None
    assert await delivery.get("ConfigMap", "a") is None


async def test_a_sync_that_waits_to_be_tried_again_is_ended_too(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a"), "app/pre.json": job("pre", {HOOK: "PreSync"}, simulate="fail")})
    await delivery.apply(delivery.application())
    await delivery.until(lambda app: app["status"]["sync"]["status"] == "OutOfSync")
    retry = {"limit": -1, "backoff": {"duration": "1h", "maxDuration": "1h"}}
    await delivery.patch({"operation": {"sync": {}, "retry": retry}})
    app = await delivery.until(lambda app: operation(app).get("retryCount") == 1)
    assert "Retrying attempt #1 in 3600s" in operation(app)["message"]
    assert "finishedAt" in operation(app)
    await delivery.patch({"status": {"operationState": {"phase": "Terminating"}}})
    await delivery.until(ended("Failed", "Operation terminated"))


async def test_a_sync_asked_for_while_another_runs_comes_after_it(delivery: Delivery) -> None:
    await stuck(delivery, automated={})
    await delivery.until(running)
    asked = {"initiatedBy": {"username": "somebody"}, "sync": {"syncStrategy": {"apply": {}}}}
    await delivery.patch({"operation": asked})
    await resume(delivery)
    app = await delivery.until(lambda app: len(app["status"]["history"]) == 2 and ended("Succeeded")(app))
    assert [entry["initiatedBy"] for entry in app["status"]["history"]] == [{"automated": True}, asked["initiatedBy"]]


async def test_an_operation_written_over_one_that_runs_is_not_lost(delivery: Delivery) -> None:
    await stuck(delivery)
    await delivery.until(lambda app: app["status"]["sync"]["status"] == "OutOfSync")
    await delivery.patch({"operation": {"initiatedBy": {"username": "first"}, "sync": {}}})
    await delivery.until(running)
    second = {"initiatedBy": {"username": "second"}, "sync": {"syncStrategy": {"apply": {}}}}
    await delivery.patch({"operation": second})
    await resume(delivery)
    app = await delivery.until(lambda app: len(app["status"]["history"]) == 2 and ended("Succeeded")(app))
    assert [entry["initiatedBy"]["username"] for entry in app["status"]["history"]] == ["first", "second"]


async def retried(delivery: Delivery, *, refresh: bool) -> str:
    """A sync whose hook fails when it is resumed; before that, it is put right in git. Gives the commit that does."""
    fails = job("pre", {HOOK: "PreSync"}, simulate="fail", suspended=True)
    delivery.begin({"app/a.json": config_map("a"), "app/pre.json": fails})
    await delivery.apply(delivery.application())
    await delivery.until(lambda app: app["status"]["sync"]["status"] == "OutOfSync")
    retry = {"limit": 1, "backoff": {"duration": "1s"}, "refresh": refresh}
    await delivery.patch({"operation": {"sync": {}, "retry": retry}})
    await delivery.until(running)
    commit = await delivery.push({"app/pre.json": job("pre", {HOOK: "PreSync"})})
    await delivery.until(lambda app: app["status"]["sync"]["revision"] == commit)
    await resume(delivery)
    return commit


async def test_a_retry_with_refresh_brings_what_is_in_git_by_then(delivery: Delivery) -> None:
    commit = await retried(delivery, refresh=True)
    app = await delivery.until(ended("Succeeded"))
    assert operation(app)["syncResult"]["revision"] == commit
    assert synced(app)


async def test_a_retry_without_it_brings_what_the_first_attempt_brought(delivery: Delivery) -> None:
    commit = await retried(delivery, refresh=False)
    await delivery.until(lambda app: running(app) and operation(app).get("retryCount") == 1)
    await resume(delivery)
    app = await delivery.until(ended("Failed", "Job/pre"))
    assert operation(app)["syncResult"]["revision"] != commit
    assert operation(app)["retryCount"] == 1
