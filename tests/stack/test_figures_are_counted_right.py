"""The benchmark's arithmetic: percentiles, the measured section of the document, CPU and memory of a process tree."""

import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from services.stack.bench import layout, usage
from services.stack.bench.figures import BEGIN, END, Figures, document
from services.stack.bench.machine import Machine
from services.stack.bench.numbers import rank, spread
from services.stack.bench.requests import counted
from shared import yamlio

MACHINE = Machine(2, 8.0, "Some CPU", "abc1234", "2026-11-23", 0.5)


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=200))
def test_percentiles_are_measured_values_in_order(values: list[float]) -> None:
    found = spread(values)
    assert found.least <= found.p50 <= found.p95 <= found.most or len(values) < 3
    assert found.p95 in values


def test_the_95th_of_a_hundred() -> None:
    assert rank([float(value) for value in range(1, 101)], 0.95) == 95.0


def test_the_measured_section_is_replaced_and_the_rest_stays() -> None:
    once = document("# Benchmarks\n\nHow it is measured.\n", MACHINE, [Figures(50, first_sync=(1.0, 2.0))])
    twice = document(once, MACHINE, [Figures(300, first_sync=(3.0, 4.0))])
    assert twice.count(BEGIN) == twice.count(END) == 1
    assert "How it is measured." in twice
    assert "300 Applications" in twice
    assert "50 Applications" not in twice


def test_an_application_folder_holds_ten_configmaps_and_a_deployment() -> None:
    objects = yamlio.load_all(layout.manifest(3, "mark"), "all.yaml")
    assert [obj["kind"] for obj in objects] == ["ConfigMap"] * 10 + ["Deployment"]
    assert all(obj["data"]["mark"] == "mark" for obj in objects[:10])


def test_a_process_tree_is_followed_to_its_grandchildren() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        found = usage.tree(child.pid)
        assert len(found) == 2
        assert usage.of(found).rss_mb > 1
        child.communicate(b"\n")
    assert usage.of([child.pid]).rss_mb == 0
    assert usage.of([os.getpid()]).cpu_s > 0


def test_dry_runs_are_told_from_writes() -> None:
    line = 'apiserver_request_total{dry_run="%s",resource="configmaps",subresource="",verb="APPLY"} %d'
    lines = [line % ("All", 3), line % ("", 2)]
    assert counted(lines) == {("configmaps", ""): 5}
    assert counted(lines, dry_runs=False) == {("configmaps", ""): 2}
