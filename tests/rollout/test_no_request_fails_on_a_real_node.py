"""Journeys on the real node, where containers run, probes ask, hooks delay and Services route: not one request fails.

Requests come from this machine to the Services' cluster addresses, through kube-proxy. Pods say goodbye as they must
for that (a preStop hook while load balancers learn of it). Needs root, as the real node does.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio

from services.rollout_manager.labels import HASH
from services.stack import cluster as embedded
from tests.parts.cluster import ClusterUnderTest, quiet, with_our_kinds
from tests.rollout.managed import Managed
from tests.rollout.realapp import GATE, analysis, asking, container, open_gates, pods_of, template
from tests.rollout.rollouts import Obj, blue_green, canary, rollout, service

pytestmark = pytest.mark.timeout(400)
ASKS_CANARY = '[ "$WANTED" != v3 ] && until [ "$(wget -qO- http://$CANARY_SERVICE_HOST/)" = "$WANTED" ]; do :; done'
ASKS_PREVIEW = 'until [ "$(wget -qO- http://$PREVIEW_SERVICE_HOST/)" = "$WANTED" ]; do :; done'
ASKS_CANDIDATE = 'wget -qO- "http://$(env | sed -n "s/.*_CANDIDATE_SERVICE_HOST=//p"):8080/"'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cluster() -> AsyncIterator[ClusterUnderTest]:
    if os.geteuid() != 0:
        pytest.skip("a real node needs root")
    with TemporaryDirectory(prefix="tiphys-node-") as folder:
        async with embedded.running(Path(folder), node="real", report=quiet) as running:
            under_test = ClusterUnderTest(running.kubeconfig)
            await with_our_kinds(under_test)
            yield under_test


async def push(managed: Managed, version: str) -> None:
    await managed.patch({"spec": {"template": {"spec": {"containers": [container(version)]}}}})


async def replaced(managed: Managed, cluster: ClusterUnderTest, version: str) -> None:
    """Wait until the pods of a version are all that there is, and no other is on its way out."""
    told = await managed.until_phase("Healthy")
    others = f"--selector=app=web,{HASH}!={told['status']['stableRS']}"
    await cluster.until("--for=delete", "pod", f"--namespace={managed.namespace}", others, seconds=60)
    pods = (pod for pod in await managed.list("Pod") if pod["metadata"]["labels"].get("app") == "web")
    assert {pod["spec"]["containers"][0]["env"][0]["value"] for pod in pods} == {version}


async def test_a_canary_by_replicas_with_analysis_experiment_and_abort(
    managed: Managed, cluster: ClusterUnderTest
) -> None:
    for name in ("web", "canary", "stable"):
        await managed.apply(service(name, managed.namespace))
    await managed.apply(template("canary", ASKS_CANARY))
    await managed.apply(template("candidate", ASKS_CANDIDATE))
    args = [{"name": "version", "value": "v2"}]
    judged = {"name": "asks", "templateName": "candidate", "requiredForCompletion": True, "args": args}
    apart = {"metadata": {"labels": {"app": "compared"}}}
    pair: list[Obj] = [{"name": "baseline", "specRef": "stable", **apart}]
    pair += [{"name": "candidate", "specRef": "canary", "service": {}, **apart}]
    experiment = {"experiment": {"templates": pair, "analyses": [judged]}}
    steps: list[Obj] = [{"setWeight": 25}, {"analysis": analysis("canary")}, experiment, {"setWeight": 50}]
    strategy = canary(*steps, {"pause": {}}, canaryService="canary", stableService="stable")
    await managed.apply(rollout(strategy, replicas=4, template=pods_of("v1")))
    await managed.until_phase("Healthy")
    async with asking(managed, "web") as client:
        await client.hears_nothing_but("v1")
        await push(managed, "v2")
        await managed.until_phase("Paused", currentStepIndex=4)
        await client.hears("v1", "v2")
        for kind, count in (("AnalysisRun", 2), ("Experiment", 1)):
            found = await managed.list(kind)
            assert [one["status"]["phase"] for one in found] == ["Successful"] * count
        assert [job["status"]["succeeded"] for job in await managed.list("Job")] == [1, 1]
        await managed.status({"pauseConditions": None})
        await replaced(managed, cluster, "v2")
        await client.hears_nothing_but("v2")
        await push(managed, "v3")
        aborted = await managed.until_phase("Degraded", abort=True)
        assert "RolloutAborted" in aborted["status"]["message"]
        await managed.until(lambda obj: obj["status"]["updatedReplicas"] == 0 and obj["status"]["replicas"] == 4)
        await client.hears_nothing_but("v2")


async def test_a_blue_green_switch_waits_for_gates_and_goes_back(managed: Managed, cluster: ClusterUnderTest) -> None:
    for name in ("active", "preview"):
        await managed.apply(service(name, managed.namespace))
    await managed.apply(template("preview", ASKS_PREVIEW))
    pods = pods_of("v1", readinessGates=[{"conditionType": GATE}])
    strategy = blue_green(autoPromotionEnabled=False, scaleDownDelaySeconds=5, prePromotionAnalysis=analysis("preview"))
    await managed.apply(rollout(strategy, replicas=2, template=pods))
    await open_gates(managed, "v1", 2)
    first = await managed.until_phase("Healthy")
    async with asking(managed, "active") as client:
        await client.hears_nothing_but("v1")
        await push(managed, "v2")
        waiting = await managed.until(lambda obj: obj["status"]["updatedReplicas"] == 2)
        assert waiting["status"]["blueGreen"]["activeSelector"] == first["status"]["stableRS"]
        assert await managed.list("AnalysisRun") == []
        await open_gates(managed, "v2", 2)
        await managed.until_phase("Paused", message="BlueGreenPause")
        assert [one["status"]["phase"] for one in await managed.list("AnalysisRun")] == ["Successful"]
        assert set(client.answers) == {"v1"}
        await managed.status({"pauseConditions": None})
        await replaced(managed, cluster, "v2")
        await client.hears_nothing_but("v2")
        await push(managed, "v3")
        await open_gates(managed, "v3", 2)
        await managed.until_phase("Paused", message="BlueGreenPause")
        await managed.status({"abort": True})
        await managed.until_phase("Degraded")
        await client.hears_nothing_but("v2")
