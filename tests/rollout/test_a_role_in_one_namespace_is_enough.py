"""`tiphys run rollout_manager --namespace-scope NS` with the Role of docs/rollouts.md and no other right: it installs
nothing, takes its lease, leads traffic, runs a Job as an analysis; what lies outside of its Role is said.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import yaml

from tests.rollout.managed import Managed
from tests.rollout.rollouts import Obj, canary, ingress, rollout, routed, service
from tests.rollout.test_configuration_is_tracked_when_asked import restricted

DOCS = Path(__file__).parents[2] / "docs" / "rollouts.md"
CHECK: Obj = {"templates": [{"templateName": "check"}]}


def documented() -> Obj:
    block = DOCS.read_text().partition("## A manager for one namespace")[2].partition("```yaml")[2].partition("```")[0]
    role: Obj = yaml.safe_load(block)
    return role


def template() -> Obj:
    job = {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "check"}]}}}
    metric = {"name": "check", "provider": {"job": {"spec": job}}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "check"},
        "spec": {"metrics": [metric]},
    }


@asynccontextmanager
async def running(given: Managed) -> AsyncIterator[None]:
    """The command as a person runs it, in a process group of its own."""
    words = ["run", "rollout_manager", "--nats", "none", "--namespace-scope", given.namespace]
    where = ["--kubeconfig", str(given.kubeconfig), "--data", str(given.data)]
    start = "from services.cli.root import main; main()"
    log = given.data / "manager.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", start, *words, *where, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield
            assert process.returncode is None, log.read_text()
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGTERM)
            await process.wait()


async def test_a_canary_is_led_with_the_rights_of_its_namespace_alone(unmanaged: Managed, tmp_path: Path) -> None:
    await unmanaged.apply(documented())
    for name in ("canary", "stable"):
        await unmanaged.apply(service(name, unmanaged.namespace))
    await unmanaged.apply(ingress(unmanaged.namespace))
    await unmanaged.apply(template())
    await unmanaged.apply(rollout(routed({"setWeight": 50}, {"analysis": CHECK}, {"pause": {}}), replicas=2))
    outside = {"analysis": {"templates": [{"templateName": "check", "clusterScope": True}]}}
    async with running(await restricted(unmanaged, tmp_path)):
        await unmanaged.until_phase("Healthy")
        await unmanaged.push("v2")
        await unmanaged.until_phase("Paused", currentStepIndex=2)
        await unmanaged.status({"pauseConditions": None})
        await unmanaged.until_phase("Healthy")
        await unmanaged.apply(rollout(canary(outside), name="other", replicas=1))
        await unmanaged.until_event("ReconcileError", "clusteranalysistemplates")
    lease = await unmanaged.get("Lease", "argo-rollouts-controller-lock")
    assert not lease["spec"].get("holderIdentity")
