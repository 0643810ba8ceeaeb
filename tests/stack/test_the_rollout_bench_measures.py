"""`make bench-rollouts` at its smallest: each part gives its rows. How good the figures are is not judged here."""

from pathlib import Path

import pytest

from services.stack.bench.machine import Machine
from services.stack.bench.requests import counted
from services.stack.bench.rollouts import field, run
from services.stack.bench.rollouts.figures import BEGIN, END, Figures, document
from services.stack.bench.rollouts.run import PARTS, Sizes
from tests.parts.cluster import ClusterUnderTest, quiet

SMALL = Sizes(rollouts=1, idle=2, promotions=2, runs=2, idle_seconds=0.2, interval=0.2, quiet=0.5)
MACHINE = Machine(2, 8.0, "Some CPU", "abc1234", "2026-11-28", 0.5)


@pytest.mark.parametrize("part", PARTS)
async def test_each_part_gives_its_rows(part: str, cluster: ClusterUnderTest, namespace: str, tmp_path: Path) -> None:
    figures = Figures()
    async with field.opened(
        cluster.kubeconfig, namespace, tmp_path, quiet, scope=namespace, kinds=run.kinds(part)
    ) as world:
        await run.one(world, part, SMALL, figures)
    rows = figures.rows()
    assert rows
    once = document("# Benchmarks\n", MACHINE, figures)
    assert document(once, MACHINE, figures) == once
    assert once.count(BEGIN) == once.count(END) == 1
    assert all(f"| {name} | {value} |" in once for name, value in rows)


def test_writing_requests_are_counted_by_what_they_wrote() -> None:
    lines = (
        'apiserver_request_total{code="200",group="apps",resource="replicasets",subresource="",verb="PATCH"} 3',
        'apiserver_request_total{code="409",group="apps",resource="replicasets",subresource="",verb="PUT"} 1',
        'apiserver_request_total{code="200",group="apps",resource="replicasets",subresource="status",verb="PUT"} 2',
        'apiserver_request_total{code="200",group="apps",resource="replicasets",subresource="",verb="WATCH"} 9',
        'apiserver_request_slo_duration_seconds_count{resource="replicasets",verb="PATCH"} 5',
    )
    assert counted(lines) == {("replicasets", ""): 4, ("replicasets", "status"): 2}
