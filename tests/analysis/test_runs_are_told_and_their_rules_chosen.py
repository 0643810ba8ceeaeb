"""Events of AnalysisRuns in Argo Rollouts' words; which metrics dry runs and retention mean; what metadata is whose."""

import pytest

from services.rollout_manager.analysis import InvalidAnalysis
from services.rollout_manager.analysis.named import chosen
from services.rollout_manager.analysis.tell import told
from services.rollout_manager.analysis.verdict import counted
from shared.engines.client import Engines
from shared.kinds.analysis import Measurement, MetricResult
from tests.rollout.rollouts import Obj


def status(phase: str, **metrics: str) -> Obj:
    return {"phase": phase, "metricResults": [{"name": name, "phase": how} for name, how in metrics.items()]}


def test_the_end_of_each_metric_and_of_the_run_is_told_once() -> None:
    before, after = status("Running", a="Running", b="Successful"), status("Failed", a="Failed", b="Successful")
    assert [tuple(one) for one in told(before, after)] == [
        ("MetricFailed", "Metric 'a' Completed. Result: Failed", "Warning"),
        ("AnalysisRunFailed", "Analysis Completed. Result: Failed", "Warning"),
    ]
    assert list(told(after, after)) == list(told({}, status("Running", a="Pending"))) == []
    assert [one.type for one in told({}, status("Inconclusive", a="Inconclusive"))] == ["Normal", "Normal"]


async def test_names_of_rules_are_patterns_that_match_anywhere_and_the_first_counts(engines: Engines) -> None:
    names = ["error-rate", "latency-p99", "latency-p50"]
    assert await chosen(engines, ["p99", "latency"], names, "measurementRetention") == {
        "latency-p99": 0,
        "latency-p50": 1,
    }
    assert await chosen(engines, [".*"], names, "dryRun") == dict.fromkeys(names, 0)
    with pytest.raises(InvalidAnalysis) as caught:
        await chosen(engines, ["nothing", "(", "^error"], names, "dryRun")
    assert caught.value.problems[0] == "dryRun[0]: Rule didn't match any metric name(s)"
    assert caught.value.problems[1].startswith("dryRun[1]: ")


def test_what_was_asked_stands_with_the_metric_and_what_was_made_with_the_measurement() -> None:
    asked = {"ResolvedPrometheusQuery": "up", "job-name": "j"}
    found = counted(MetricResult(name="m"), Measurement(phase="Successful", metadata=asked))
    assert found.metadata == {"ResolvedPrometheusQuery": "up"}
    assert found.measurements[0].metadata == {"job-name": "j"}
    again = counted(found, Measurement(phase="Error"))
    assert again.metadata == found.metadata
