"""`tiphys rollout` on Experiments and AnalysisRuns: created, shown, followed, ended, begun again, on the embedded
cluster. Not here: what ending one does (test_experiments_run_side_by_side.py, test_runs_on_a_real_api_server.py).
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.cli.errors import CliError
from services.cli.options import Where
from services.cli.rollout import experiment as commands
from services.cli.rollout import manifests
from tests.analysis.test_experiments_run_side_by_side import experiment, kinds, part, until
from tests.analysis.test_runs_on_a_real_api_server import group, job_metric, managed, run, unmanaged, until_run
from tests.rollout.managed import Managed

__all__ = ["group", "kinds", "managed", "unmanaged"]
Obj = dict[str, Any]


def where(managed: Managed) -> Where:
    return Where(managed.data, kubeconfig=managed.kubeconfig, namespace=managed.namespace)


def file_of(folder: Path, *objects: Obj) -> Path:
    file = folder / "objects.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    return file


@asynccontextmanager
async def followed(managed: Managed, name: str) -> AsyncIterator[asyncio.StreamReader]:
    """`get-experiment --watch` in a process of its own, as a person has it in a terminal."""
    words = ("rollout", "get-experiment", name, "-w", "--kubeconfig", str(managed.kubeconfig), "-n", managed.namespace)
    environment = {**os.environ, "TIPHYS_DATA": str(managed.data)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", *words), stdout=asyncio.subprocess.PIPE, env=environment
    )
    try:
        assert process.stdout
        yield process.stdout
    finally:
        process.terminate()
        await process.communicate()


async def line_with(lines: asyncio.StreamReader, word: str) -> str:
    while line := (await lines.readline()).decode():
        if word in line:
            return line
    return pytest.fail(f"no line has {word}")


async def test_an_experiment_is_followed_to_its_end_and_begun_again(managed: Managed, tmp_path: Path) -> None:
    at = where(managed)
    await manifests.create(at, [file_of(tmp_path, experiment(part("a", service={})))])
    await until(managed, "Running")
    with pytest.raises(CliError, match="has not ended: Running"):
        await commands.retry(at, "exp")
    async with followed(managed, "exp") as lines:
        assert (await line_with(lines, "exp-a")).split() == ["a", "Running", "1", "1", "1", "exp-a"]
        await commands.terminate(at, f"{managed.namespace}/exp", "Experiment")
        assert "experiment terminated" in await line_with(lines, "Successful  a: Successful")
    with pytest.raises(CliError, match="has ended already: Successful"):
        await commands.terminate(at, "exp", "Experiment")
    with pytest.raises(CliError, match="was terminated"):
        await commands.retry(at, "exp")
    await managed.patch({"spec": {"terminate": None}}, kind="Experiment", name="exp")
    await commands.retry(at, "exp")
    await until(managed, "Running")


async def test_a_run_that_goes_on_is_ended(managed: Managed, tmp_path: Path) -> None:
    hourly = {**job_metric(), "interval": "1h"}
    await manifests.create(where(managed), [file_of(tmp_path, run(hourly, args=[]))])
    measured = await managed.until(
        lambda obj: obj["status"]["metricResults"][0]["successful"], kind="AnalysisRun", name="run"
    )
    assert measured["status"]["phase"] == "Running"
    await commands.terminate(where(managed), "run", "AnalysisRun")
    await until_run(managed, "Successful")


async def test_what_is_not_there_is_said(unmanaged: Managed) -> None:
    for kind in ("AnalysisRun", "Experiment"):
        with pytest.raises(CliError, match=f"there is no {kind} {unmanaged.namespace}/none"):
            await commands.terminate(where(unmanaged), "none", kind)


async def test_nothing_is_created_when_one_of_the_objects_is_foreign(unmanaged: Managed, tmp_path: Path) -> None:
    foreign = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    with pytest.raises(CliError, match="v1 ConfigMap is none of them"):
        await manifests.create(where(unmanaged), [file_of(tmp_path, experiment(part("a")), foreign)])
    with pytest.raises(CliError, match="nothing to create"):
        await manifests.create(where(unmanaged), [file_of(tmp_path)])
    assert await unmanaged.list("Experiment") == []


def test_a_template_of_the_cluster_has_no_namespace(tmp_path: Path) -> None:
    template = {"apiVersion": "argoproj.io/v1alpha1", "kind": "ClusterAnalysisTemplate", "metadata": {"name": "t"}}
    local = {**template, "kind": "AnalysisTemplate"}
    there = {**local, "metadata": {"name": "t", "namespace": "shop"}}
    found = manifests.creatable([file_of(tmp_path, template, local, there)], "web")
    assert [one["metadata"] for one in found] == [
        {"name": "t"},
        {"name": "t", "namespace": "web"},
        {"name": "t", "namespace": "shop"},
    ]
