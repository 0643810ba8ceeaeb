"""AnalysisRuns on the embedded cluster: asked over HTTP, run as Jobs, started by Rollouts, ended by people.

The kubelet is simulated: a Job's pod completes, or fails when `tiphys.dev/simulate: fail` says so.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from shared.clock import now, rfc3339
from tests.parts.answering import answering
from tests.rollout.conftest import managed, unmanaged
from tests.rollout.managed import Managed
from tests.rollout.rollouts import blue_green, canary, rollout, service

__all__ = ["managed", "unmanaged"]
Obj = dict[str, Any]


@dataclass
class Told:
    """A metrics API that answers what the test says, and remembers what it was asked."""

    url: str = ""
    answer: Any = field(default_factory=lambda: {"data": {"rate": 0.99}})
    asked: list[web.Request] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        self.news.set()
        return web.Response(text=self.answer if isinstance(self.answer, str) else json.dumps(self.answer))


@asynccontextmanager
async def serving() -> AsyncIterator[Told]:
    told = Told()
    async with answering(told.handle) as told.url:
        yield told


def web_metric(told: Told, name: str = "rate", **fields: Any) -> Obj:
    config = {"url": f"{told.url}/metrics?token={{{{args.token}}}}", "jsonPath": "{$.data.rate}"}
    return {"name": name, "successCondition": "result >= 0.95", "provider": {"web": config}, **fields}


def job_metric(name: str = "check", simulate: str = "") -> Obj:
    meta = {"annotations": {"tiphys.dev/simulate": simulate}} if simulate else {}
    pod = {"metadata": meta, "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}}
    return {"name": name, "provider": {"job": {"spec": {"backoffLimit": 0, "template": pod}}}}


def run(*metrics: Obj, name: str = "run", **spec: Any) -> Obj:
    args = [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "login", "key": "token"}}}]
    metadata = {"name": name}
    whole = {"metrics": list(metrics), "args": args, **spec}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": metadata, "spec": whole}


def template(*metrics: Obj, name: str = "check") -> Obj:
    metadata = {"name": name}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": metadata,
        "spec": {"metrics": list(metrics)},
    }


SECRET: Obj = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "login"},
    "stringData": {"token": "canary-value"},
}


async def until_run(managed: Managed, phase: str, name: str = "run") -> Obj:
    return await managed.until(lambda obj: obj["status"]["phase"] == phase, kind="AnalysisRun", name=name)


@pytest.fixture(autouse=True)
def group() -> None:
    from tests.rollout.managed import GROUPS

    GROUPS.update({"AnalysisRun": "argoproj.io", "AnalysisTemplate": "argoproj.io", "Job": "batch"})


async def test_a_web_metric_is_judged_and_its_secret_stays_secret(managed: Managed) -> None:
    async with serving() as told:
        await managed.apply(SECRET)
        await managed.apply(run(web_metric(told, count=2, interval="1s")))
        done = await until_run(managed, "Successful")
        (result,) = done["status"]["metricResults"]
        assert (result["successful"], result["measurements"][0]["value"]) == (2, "0.99")
        assert told.asked[0].query["token"] == "canary-value"
        assert "canary-value" not in json.dumps(done)
        told.answer = {"data": {"rate": "canary-value"}}
        await managed.apply(run(web_metric(told), name="bad"))
        failed = await managed.until(
            lambda obj: obj["status"]["metricResults"][0]["error"] >= 1, kind="AnalysisRun", name="bad"
        )
        assert "canary-value" not in json.dumps(failed)


async def test_no_data_means_what_the_run_says(managed: Managed) -> None:
    await managed.apply(SECRET)
    async with serving() as told:
        told.answer = {"data": {"rate": []}}
        wanted = run(web_metric(told))
        await managed.apply({**wanted, "metadata": {"name": "run", "annotations": {"tiphys.dev/on-no-data": "Failed"}}})
        done = await until_run(managed, "Failed")
        assert "no data returned" in done["status"]["metricResults"][0]["measurements"][0]["message"]


async def test_what_can_not_be_asked_is_an_error_that_says_why(managed: Managed) -> None:
    await managed.apply(SECRET)
    async with serving() as told:
        await managed.apply(run({**web_metric(told), "provider": {"web": {"url": "http://169.254.169.254/latest"}}}))
        await managed.apply({**run(web_metric(told), name="none"), "spec": {"metrics": [web_metric(told)], "args": []}})
        seen = await managed.until(
            lambda obj: obj["status"]["metricResults"][0]["error"], kind="AnalysisRun", name="run"
        )
        assert "may not be asked" in seen["status"]["metricResults"][0]["measurements"][0]["message"]
        unresolved = await until_run(managed, "Error", "none")
        assert "args.token was not resolved" in unresolved["status"]["message"]
        await managed.patch({"spec": {"terminate": True}}, kind="AnalysisRun", name="run")
        await until_run(managed, "Successful")
    assert told.asked == []


async def test_jobs_say_yes_and_no(managed: Managed) -> None:
    await managed.apply(run(job_metric(), name="good", args=[]))
    await managed.apply(run(job_metric(simulate="fail"), name="bad", args=[]))
    good, bad = await until_run(managed, "Successful", "good"), await until_run(managed, "Failed", "bad")
    names = {one["metadata"]["name"] for one in await managed.list("Job")}
    (measured,) = good["status"]["metricResults"][0]["measurements"]
    assert measured["metadata"] == {
        "job-name": f"{good['metadata']['uid']}.check.1",
        "job-namespace": managed.namespace,
    }
    assert measured["metadata"]["job-name"] in names
    assert bad["status"]["message"] == 'Metric "check" assessed Failed due to failed (1) > failureLimit (0)'


async def test_a_job_that_takes_longer_than_the_interval_is_followed_by_another(managed: Managed) -> None:
    await managed.apply(run({**job_metric(), "count": 3, "interval": "1ms"}, args=[]))
    done = await until_run(managed, "Successful")
    (result,) = done["status"]["metricResults"]
    names = [one["metadata"]["job-name"] for one in result["measurements"]]
    assert names == [f"{done['metadata']['uid']}.check.{number}" for number in (1, 2, 3)]
    assert {one["metadata"]["name"] for one in await managed.list("Job")} == set(names)


async def test_a_run_goes_on_after_the_manager_was_killed(unmanaged: Managed) -> None:
    await unmanaged.apply(run(job_metric(simulate="pending"), args=[]))
    async with unmanaged.run():
        await until_run(unmanaged, "Running")
        job = await unmanaged.until(
            lambda obj: obj["status"]["active"] and obj["status"]["startTime"],
            kind="Job",
            name=await job_name(unmanaged),
        )
    async with unmanaged.run():
        await until_run(unmanaged, "Running")
        conditions = [{"type": kind, "status": "True"} for kind in ("SuccessCriteriaMet", "Complete")]
        ended = {
            "conditions": conditions,
            "active": None,
            "ready": None,
            "succeeded": 1,
            "completionTime": rfc3339(now()),
        }
        await unmanaged.patch({"status": ended}, kind="Job", name=job["metadata"]["name"], subresource="status")
        await until_run(unmanaged, "Successful")
    assert [one["metadata"]["uid"] for one in await unmanaged.list("Job")] == [job["metadata"]["uid"]]


async def test_a_job_that_nobody_waits_for_any_more_is_deleted(managed: Managed) -> None:
    await managed.apply(run(job_metric(simulate="pending"), args=[]))
    await until_run(managed, "Running")
    await managed.until(lambda obj: obj["status"]["active"], kind="Job", name=await job_name(managed))
    await managed.patch({"spec": {"terminate": True}}, kind="AnalysisRun", name="run")
    await until_run(managed, "Inconclusive")
    async with asyncio.timeout(90):
        while await managed.list("Job"):  # noqa: ASYNC110 - asked as a person would
            await asyncio.sleep(0.1)


async def test_an_image_that_can_not_be_had_is_inconclusive(managed: Managed) -> None:
    await managed.apply(run(job_metric(simulate="pending"), args=[]))
    running = await until_run(managed, "Running")
    job = await managed.until(lambda obj: obj["status"]["active"], kind="Job", name=await job_name(managed))
    uid = running["metadata"]["uid"]
    assert job["metadata"]["labels"]["analysisrun.argoproj.io/uid"] == uid
    about = {f"analysisrun.argoproj.io/{name}" for name in ("name", "namespace", "metric-name")}
    assert about <= job["metadata"]["annotations"].keys()
    [pod] = [one for one in await managed.list("Pod") if one["metadata"]["name"].startswith(uid)]
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    state = {"name": "c", "image": "busybox", "imageID": "", "ready": False, "restartCount": 0, "state": waiting}
    status = {"containerStatuses": [state]}
    await managed.patch({"status": status}, kind="Pod", name=pod["metadata"]["name"], subresource="status")
    done = await until_run(managed, "Inconclusive")
    [measured] = done["status"]["metricResults"][0]["measurements"]
    assert measured["message"] == "ImagePullBackOff: no such image"


async def job_name(managed: Managed) -> str:
    found = await managed.get("AnalysisRun", "run")
    return f"{found['metadata']['uid']}.check.1"


async def test_a_canary_stops_where_its_analysis_fails(managed: Managed) -> None:
    await managed.apply(template(job_metric(), name="good"))
    await managed.apply(template(job_metric(simulate="fail"), name="bad"))
    steps: list[Obj] = [{"setWeight": 20}, {"analysis": {"templates": [{"templateName": "good"}]}}, {"setWeight": 60}]
    last = {"analysis": {"templates": [{"templateName": "bad"}]}}
    await managed.apply(rollout(canary(*steps, last), replicas=5))
    await managed.until_phase("Healthy")
    await managed.push("v2")
    aborted = await managed.until_phase("Degraded", abort=True)
    assert "RolloutAborted" in aborted["status"]["message"]
    runs = {
        one["metadata"]["labels"]["step-index"]: one["status"]["phase"] for one in await managed.list("AnalysisRun")
    }
    assert runs == {"1": "Successful", "3": "Failed"}


async def test_blue_green_waits_for_its_analysis_before_it_switches(managed: Managed) -> None:
    for name in ("active", "preview"):
        await managed.apply(service(name, managed.namespace))
    await managed.apply(template(job_metric(), name="good"))
    strategy = blue_green(prePromotionAnalysis={"templates": [{"templateName": "good"}]})
    await managed.apply(rollout(strategy, replicas=2))
    first = await managed.until_phase("Healthy")
    await managed.push("v2")
    await managed.until(
        lambda obj: obj["status"]["blueGreen"]["activeSelector"] not in {"", first["status"]["stableRS"]}
    )
    [made] = await managed.list("AnalysisRun")
    assert (made["metadata"]["labels"]["rollout-type"], made["status"]["phase"]) == ("PrePromotion", "Successful")
