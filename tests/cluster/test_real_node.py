"""On a real node containers run, Services route, and a stop leaves nothing of it on the machine.

It needs root: without it, what is tested is that the refusal says so.
"""

import asyncio
import os
from pathlib import Path

import aiohttp
import pytest

from services.stack import cluster as embedded
from services.stack.cluster import machine, node
from tests.parts.cluster import ClusterUnderTest, quiet

_WEB = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: web
          image: {node.BUSYBOX}
          command: [sh, -c, "mkdir /www && echo it runs > /www/index.html && exec httpd -f -p 8080 -h /www"]
          readinessProbe: {{httpGet: {{path: /, port: 8080}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]}}
"""
_ASK = f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: ask}}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: ask
          image: {node.BUSYBOX}
          command: [sh, -c, "until wget -qO- http://$WEB_SERVICE_HOST/; do :; done"]
"""


async def test_containers_run_services_route_and_nothing_stays_behind(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        with pytest.raises(embedded.NodeImpossibleError, match="root"):
            await embedded.up(tmp_path, node="real", report=quiet)
        return
    async with embedded.running(tmp_path, node="real", report=quiet) as running:
        cluster = ClusterUnderTest(running.kubeconfig)
        await _a_service_answers_from_inside_and_outside(cluster)
        await _containers_are_processes_of_this_machine(cluster)
    _nothing_stayed(tmp_path)


async def _a_service_answers_from_inside_and_outside(cluster: ClusterUnderTest) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=_WEB)
    await cluster.until("--for=condition=Available", "deployment/web", seconds=60)
    cluster.kubectl("apply", "-f", "-", stdin=_ASK)
    await cluster.until("--for=condition=Complete", "job/ask", seconds=60)
    assert "it runs\n" in cluster.kubectl("logs", "job/ask")
    address = cluster.kubectl("get", "service", "web", "-o=jsonpath={.spec.clusterIP}")
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}/") as response:
        assert await response.text() == "it runs\n"


async def _containers_are_processes_of_this_machine(cluster: ClusterUnderTest) -> None:
    assert "httpd" in cluster.kubectl("exec", "deployment/web", "--", "ps")
    async with asyncio.timeout(60):
        while _servers() != 2:  # noqa: ASYNC110 - one of them forks for a moment for each request, as for those of its probe
            await asyncio.sleep(0.1)


def _nothing_stayed(directory: Path) -> None:
    assert machine.processes_in_cgroup() == set()
    assert not machine.STATE.exists()
    assert not Path(f"/sys/class/net/{machine.BRIDGE}").exists()
    assert str(directory) not in Path("/proc/self/mounts").read_text()
    assert "KUBE-" not in machine.run("iptables-save")


def _servers() -> int:
    return sum(_command(pid).startswith(b"httpd\0") for pid in machine.processes_in_cgroup())


def _command(pid: int) -> bytes:
    """Nothing of one that has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_a_group_of_processes_that_ends_while_it_is_read_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_CGROUPS", tmp_path)
    (tmp_path / "cgroup.procs").touch()
    ended = tmp_path / machine.CGROUP / "ended"
    (ended / "cgroup.procs").mkdir(parents=True)  # what can't be read
    (ended.parent / "cgroup.procs").write_text("17\n")
    assert machine.processes_in_cgroup() == {17}


def test_what_is_missing_is_said_all_at_once() -> None:
    reasons = machine.impossible(platform="darwin", user=501, cgroups=False)
    assert str(embedded.NodeImpossibleError(reasons)).startswith(
        "a real node can't run here: it needs Linux; it needs root; no cgroups are mounted"
    )
