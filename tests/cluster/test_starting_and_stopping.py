"""Clusters start side by side, end with whoever started them, keep their objects, and say what is wrong."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from services.stack import cluster as embedded
from services.stack.cluster.api import Api
from services.stack.cluster.layout import Layout
from services.stack.cluster.node import check_length
from services.stack.cluster.processes import Processes
from services.stack.state import started
from tests.parts.cluster import ClusterUnderTest, quiet

_RUNNER = """
import asyncio, sys
from pathlib import Path
from services.stack import cluster

async def main():
    async with cluster.running(Path(sys.argv[1]), node="none", report=lambda line: None) as running:
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_what_was_stored_survives_down_and_up(tmp_path: Path) -> None:
    first = await embedded.up(tmp_path, report=quiet)
    ClusterUnderTest(first.kubeconfig).kubectl("create", "configmap", "kept", "--from-literal=a=1")
    parts = (await embedded.status(tmp_path)).parts
    await embedded.down(tmp_path, report=quiet)
    assert not any(part.pid and started(part.pid) for part in parts)
    second = await embedded.up(tmp_path, report=quiet)
    try:
        assert second.server == first.server
        assert ClusterUnderTest(second.kubeconfig).kubectl("get", "configmap", "kept", "-o=jsonpath={.data.a}") == "1"
    finally:
        await embedded.down(tmp_path, purge=True, report=quiet)
    with pytest.raises(embedded.NoClusterError):
        await embedded.status(tmp_path)


async def test_up_starts_again_what_was_killed(tmp_path: Path) -> None:
    await embedded.up(tmp_path, node="none", report=quiet)
    try:
        processes = Processes(Layout(tmp_path), tied=False)
        before = processes.pid("etcd")
        await processes.kill("kube-scheduler")
        await embedded.up(tmp_path, node="none", report=quiet)
        assert processes.pid("kube-scheduler")
        assert processes.pid("etcd") == before
    finally:
        await embedded.down(tmp_path, purge=True, report=quiet)


async def test_the_api_server_can_be_killed_and_started_again(tmp_path: Path) -> None:
    async with embedded.running(tmp_path, node="none", report=quiet) as cluster:
        await cluster.kill("kube-apiserver")
        assert not await cluster.works("kube-apiserver")
        assert await cluster.works("etcd")
        await cluster.start("kube-apiserver")
        assert await cluster.works("kube-apiserver")


async def test_a_killed_node_takes_up_its_work_at_once(tmp_path: Path) -> None:
    async with embedded.running(tmp_path, report=quiet) as cluster:
        await cluster.kill("kwok")
        under_test = ClusterUnderTest(cluster.kubeconfig)
        await under_test.until_works("get", "serviceaccount/default")  # without it no pod is admitted
        under_test.kubectl("run", "late", "--image=nginx")
        await cluster.start("kwok")
        await under_test.until("--for=condition=Ready", "pod/late", seconds=30)


async def test_its_processes_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _RUNNER, str(tmp_path)]
    parent = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    assert await parent.stdout.readline() == b"ready\n"
    processes = Processes(Layout(tmp_path), tied=False)
    parts = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    pids = [pid for part in parts if (pid := processes.pid(part))]
    parent.kill()
    await parent.wait()
    assert len(pids) == len(parts)
    async with asyncio.timeout(60):
        await asyncio.gather(*(asyncio.to_thread(_wait_for_end, pid) for pid in pids))


async def test_a_folder_holds_one_cluster_at_a_time(tmp_path: Path) -> None:
    async with embedded.running(tmp_path, node="none", report=quiet):
        with pytest.raises(embedded.ClusterTakenError, match="use another folder"):
            await embedded.up(tmp_path, report=quiet)


async def test_clusters_run_side_by_side(tmp_path: Path, cluster: ClusterUnderTest) -> None:
    async with embedded.running(tmp_path / "other", node="none", report=quiet) as other:
        cluster.kubectl("create", "configmap", tmp_path.name.replace("_", "-"))
        async with Api(other.kubeconfig) as api:
            names = [each["metadata"]["name"] for each in (await api.get("/api/v1/configmaps") or {})["items"]]
    assert tmp_path.name.replace("_", "-") not in names
    cluster.kubectl("delete", "configmap", tmp_path.name.replace("_", "-"))


async def test_a_taken_port_is_refused_by_number(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(embedded.PortTakenError, match=f"port {port} is in use"):
            await embedded.up(tmp_path, port=port, report=quiet)


async def test_a_part_that_fails_shows_the_end_of_its_log(tmp_path: Path) -> None:
    damaged = tmp_path / "etcd" / "member" / "snap" / "db"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("no database")
    with pytest.raises(embedded.PartFailedError, match="etcd ended before it was ready") as failure:
        await embedded.up(tmp_path, report=quiet)
    assert "invalid database" in failure.value.tail


def test_a_real_node_says_when_its_folder_is_too_deep_for_sockets(tmp_path: Path) -> None:
    fits = tmp_path / ("d" * (107 - len(f"{tmp_path}//node/kubelet/pod-resources/kubelet.sock")))
    check_length(Layout(fits))
    with pytest.raises(embedded.NodeImpossibleError, match="a folder that is 3 bytes shorter"):
        check_length(Layout(Path(f"{fits}ddd")))


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "pki").write_text("a file where a folder belongs")
    with pytest.raises(embedded.ClusterError, match="pki"):
        await embedded.up(tmp_path, report=quiet)


def test_a_stale_process_file_is_nobody(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.make()
    (layout.run / "etcd").write_text(f"{os.getpid()} 1")
    assert Processes(layout, tied=False).pid("etcd") is None


async def test_stopping_where_nothing_is_says_so(tmp_path: Path) -> None:
    with pytest.raises(embedded.NoClusterError, match="tiphys cluster up"):
        await embedded.down(tmp_path / "nothing", report=quiet)


async def test_ready_binaries_are_used_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = embedded.build(quiet)
    folder = tmp_path / "assets"
    folder.mkdir()
    for part in ("etcd", "kube-apiserver", "kubectl"):
        (folder / part).symlink_to(built[part])
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(folder))
    said: list[str] = []
    async with embedded.running(tmp_path / "cluster", report=said.append) as cluster:
        assert cluster.parts() == ("etcd", "kube-apiserver")
    assert "running without kube-controller-manager" in said[0]


async def test_a_folder_without_the_needed_binaries_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "assets"
    folder.mkdir()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(folder))
    with pytest.raises(embedded.ClusterError, match="holds no etcd and no kube-apiserver"):
        await embedded.up(tmp_path / "cluster", report=quiet)


def test_secrets_are_readable_by_their_owner_only(cluster: ClusterUnderTest) -> None:
    kubeconfig = cluster.kubeconfig
    assert kubeconfig.stat().st_mode & 0o077 == 0
    assert "client-key-data" in json.loads(kubeconfig.read_text())["users"][0]["user"]


def _wait_for_end(pid: int) -> None:
    subprocess.run(["tail", f"--pid={pid}", "-s0.05", "-f", "/dev/null"], check=True)
