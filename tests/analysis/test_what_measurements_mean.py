"""Counts, limits and verdicts of metrics and runs (spec 1.6); metrics that contradict themselves; the grid of times."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rollout_manager.analysis import InvalidAnalysis, Phase
from services.rollout_manager.analysis.decide import Decision, Seen, decide
from services.rollout_manager.analysis.jobs import JobOf
from services.rollout_manager.analysis.loop import wishes
from services.rollout_manager.analysis.measure import phase_of
from services.rollout_manager.analysis.metrics import Metric, read
from services.rollout_manager.analysis.schedule import Beat, due, next_on_grid
from services.rollout_manager.analysis.ttl import seconds_left
from services.rollout_manager.analysis.verdict import counted, verdict
from shared.clock import rfc3339
from shared.kinds.analysis import AnalysisRunStatus, Measurement, MetricResult
from shared.kinds.analysis import Metric as Written

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
LETTERS = {"S": "Successful", "F": "Failed", "I": "Inconclusive", "E": "Error"}


def metric(**fields: Any) -> Metric:
    return Metric(**{"name": "m", "provider": "web", "config": {}, "interval": 10.0, "count": None, **fields})


def measurement(letter: str, at: datetime = BEGIN) -> Measurement:
    return Measurement(phase=LETTERS[letter], started_at=rfc3339(at), finished_at=rfc3339(at))


def result(letters: str) -> MetricResult:
    found = MetricResult(name="m")
    for letter in letters:
        found = counted(found, measurement(letter))
    return found


@pytest.mark.parametrize(
    ("fields", "letters", "expected"),
    [
        ({}, "", Phase.PENDING),
        ({}, "SSS", Phase.RUNNING),
        ({}, "SF", Phase.FAILED),
        ({"failure_limit": 2}, "FF", Phase.RUNNING),
        ({"failure_limit": 2}, "FFSF", Phase.FAILED),
        ({"failure_limit": -1, "success_limit": 3}, "FFFFF", Phase.RUNNING),
        ({"failure_limit": -1, "success_limit": 3}, "FSSFSSS", Phase.SUCCESSFUL),
        ({}, "I", Phase.INCONCLUSIVE),
        ({"inconclusive_limit": 1}, "I", Phase.RUNNING),
        ({}, "EEEE", Phase.RUNNING),
        ({}, "EEEEE", Phase.ERROR),
        ({}, "EEEESE", Phase.RUNNING),
        ({"error_limit": 0}, "E", Phase.ERROR),
        ({"count": 2}, "SE", Phase.RUNNING),
        ({"count": 2}, "SES", Phase.SUCCESSFUL),
        ({"count": 3, "failure_limit": 3}, "FFF", Phase.SUCCESSFUL),
        ({"count": 3, "success_limit": 2, "failure_limit": 1}, "SFS", Phase.INCONCLUSIVE),
        ({"count": 3, "success_limit": 2, "failure_limit": -1}, "SFS", Phase.FAILED),
    ],
)
def test_a_metric_is_judged_by_its_limits(fields: Any, letters: str, expected: Phase) -> None:
    assert verdict(metric(**fields), result(letters), ending=False).phase is expected


@pytest.mark.parametrize(
    ("succeeded", "failed", "expected"),
    [
        (None, None, Phase.SUCCESSFUL),
        (True, None, Phase.SUCCESSFUL),
        (False, None, Phase.FAILED),
        (None, True, Phase.FAILED),
        (None, False, Phase.SUCCESSFUL),
        (True, True, Phase.FAILED),
        (True, False, Phase.SUCCESSFUL),
        (False, False, Phase.INCONCLUSIVE),
    ],
)
def test_two_conditions_make_three_answers(succeeded: Any, failed: Any, expected: Phase) -> None:
    assert phase_of(succeeded=succeeded, failed=failed) is expected


@given(st.text("SFIE", max_size=40), st.integers(1, 12))
def test_counts_are_of_all_measurements_and_only_the_last_are_kept(letters: str, kept: int) -> None:
    found = MetricResult(name="m")
    for letter in letters:
        found = counted(found, measurement(letter), kept)
    names = {"S": found.successful, "F": found.failed, "I": found.inconclusive, "E": found.error}
    assert names == {letter: letters.count(letter) for letter in "SFIE"}
    assert found.count == len(letters) - letters.count("E")
    assert [one.phase for one in found.measurements] == [LETTERS[letter] for letter in letters[-kept:]]
    assert found.consecutive_error == len(letters) - len(letters.rstrip("E"))
    assert found.consecutive_success == len(letters) - len(letters.rstrip("S"))


class Run:
    """A run that is decided about, pass by pass; the test says what measurements bring."""

    def __init__(self, *metrics: Metric, **seen: Any) -> None:
        self.metrics, self.now, self.status = metrics, BEGIN, AnalysisRunStatus()
        self.extra: dict[str, Any] = seen
        self.busy: frozenset[str] = frozenset()

    def step(self, fresh: dict[str, str] | None = None, later: float = 0.0) -> Decision:
        self.now += timedelta(seconds=later)
        new = tuple((name, measurement(letter, self.now)) for name, letter in (fresh or {}).items())
        self.busy -= {name for name, _ in new}
        seen = Seen(self.metrics, self.status, self.now, fresh=new, busy=self.busy, **self.extra)
        decision = decide(seen)
        self.status = AnalysisRunStatus.model_validate(decision.status)
        self.busy = (self.busy | set(decision.measure)) - set(decision.stop)
        return decision


def test_a_run_measures_on_time_and_ends_with_its_last_metric() -> None:
    run = Run(metric(count=2), metric(name="once", interval=None, count=1))
    first = run.step()
    assert (set(first.measure), first.status["phase"]) == ({"m", "once"}, "Running")
    after = run.step({"m": "S", "once": "S"})
    assert (after.measure, after.later) == ((), {"m": 10.0})
    assert run.step(later=10).measure == ("m",)
    last = run.step({"m": "S"})
    assert (last.status["phase"], last.measure, last.later) == ("Successful", (), {})
    assert last.status["runSummary"] == {"count": 2, "successful": 2}
    assert last.status["completedAt"] == rfc3339(run.now)


def test_one_bad_metric_ends_all_and_is_named() -> None:
    run = Run(metric(), metric(name="other"))
    run.step()
    run.step({"m": "S"})
    ended = run.step({"other": "F"}, later=10)
    assert ended.status["phase"] == "Failed"
    assert ended.status["message"] == 'Metric "other" assessed Failed due to failed (1) > failureLimit (0)'
    phases = {one["name"]: one["phase"] for one in ended.status["metricResults"]}
    assert phases == {"m": "Successful", "other": "Failed"}


def test_what_is_being_measured_is_stopped_when_the_run_ends() -> None:
    run = Run(metric(), metric(name="slow", provider="job"))
    run.step()
    ended = run.step({"m": "F"})
    assert ended.stop == ("slow",)
    assert ended.status["phase"] == "Failed"
    assert {one["name"]: one["phase"] for one in ended.status["metricResults"]}["slow"] == "Inconclusive"


def test_a_terminated_run_is_as_good_as_what_it_saw() -> None:
    run = Run(metric(), terminate=True)
    assert run.step().status | {"startedAt": "", "completedAt": ""} == {
        "phase": "Successful",
        "message": "Run Terminated",
        "metricResults": [{"name": "m", "phase": "Successful"}],
        "runSummary": {"count": 1, "successful": 1},
        "startedAt": "",
        "completedAt": "",
    }


def test_a_dry_run_decides_nothing() -> None:
    run = Run(metric(count=1, interval=None), metric(name="dry", count=1, interval=None), dry=frozenset({"dry"}))
    run.step()
    done = run.step({"m": "S", "dry": "F"})
    assert (done.status["phase"], done.status["dryRunSummary"]) == ("Successful", {"count": 1, "failed": 1})


def test_a_run_may_wait_before_it_measures() -> None:
    run = Run(metric(initial_delay=30.0))
    first = run.step()
    assert (first.measure, dict(first.later)) == ((), {"m": 30.0})
    assert run.step(later=30).measure == ("m",)


def test_an_error_is_tried_again_after_ten_seconds() -> None:
    run = Run(metric(interval=3600.0))
    run.step()
    assert run.step({"m": "E"}).later == {"m": 10.0}


def test_a_measurement_that_an_earlier_process_began_is_made_again() -> None:
    run = Run(metric())
    run.status = AnalysisRunStatus(
        phase="Running",
        started_at=rfc3339(BEGIN),
        metric_results=(
            MetricResult(name="m", measurements=(Measurement(phase="Running", started_at=rfc3339(BEGIN)),)),
        ),
    )
    assert run.step().measure == ("m",)


def test_a_status_that_somebody_wrote_nonsense_into_is_no_crash() -> None:
    run = Run(metric())
    nonsense = MetricResult(name="m", phase="Purple", measurements=(Measurement(phase="Blue"),), count=-3)
    run.status = AnalysisRunStatus(phase="Green", metric_results=(nonsense, MetricResult(name="unknown")))
    assert run.step().status["phase"] == "Running"


@given(st.floats(0.5, 600), st.lists(st.floats(0, 0.4), min_size=1, max_size=30))
def test_delays_do_not_add_up(interval: float, delays: list[float]) -> None:
    last = 1000.0
    for number, delay in enumerate(delays, 1):
        due = next_on_grid(1000.0, interval, last)
        assert due == pytest.approx(1000.0 + number * interval)
        last = due + delay * interval


@pytest.mark.parametrize("interval", [0.5, 1.0, 10.0])
def test_the_first_interval_is_as_long_as_the_others(interval: float) -> None:
    """The status says when a measurement began in whole seconds, here almost one too early."""
    began = BEGIN.timestamp() + 0.9
    ended = Measurement(phase="Successful", started_at=rfc3339(BEGIN), finished_at=rfc3339(BEGIN))
    result = MetricResult(name="m", measurements=(ended,))
    beat = Beat(began, began)
    assert due(metric(interval=interval), result, BEGIN.timestamp(), beat) == pytest.approx(began + interval)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"name": "m", "provider": {}}, "no provider specified"),
        ({"name": "m", "provider": {"web": {}, "job": {}}}, "multiple providers specified"),
        ({"name": "m", "provider": {"web": {}}, "count": 2}, "interval must be specified when count > 1"),
        ({"name": "m", "provider": {"web": {}}, "interval": "often"}, "invalid interval string"),
        ({"name": "m", "provider": {"web": {}}, "initialDelay": "-5s"}, "invalid startDelay string"),
        ({"name": "m", "provider": {"web": {}}, "failureLimit": -2}, "failureLimit must be >= 0 or -1"),
        ({"name": "m", "provider": {"web": {}}, "failureLimit": -1}, "can not both be disabled"),
        ({"name": "m", "provider": {"web": {}}, "inconclusiveLimit": "-1"}, "inconclusiveLimit must be >= 0"),
        ({"name": "m", "provider": {"web": {}}, "consecutiveErrorLimit": -1}, "consecutiveErrorLimit must be >= 0"),
        (
            {"name": "m", "provider": {"web": {}}, "count": 2, "interval": "1s", "failureLimit": 3},
            "count must be >= failureLimit",
        ),
        ({"name": "m", "provider": {"web": {}}, "count": "many"}, "'many' is no number"),
    ],
)
def test_a_metric_that_contradicts_itself_is_said(written: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidAnalysis, match=words):
        read([Written.parse(written)])


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidAnalysis) as caught:
        read([Written.parse({"name": "m", "provider": {}}), Written.parse({"name": "m", "provider": {}, "count": 3})])
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("strategy", "left"),
    [
        ({}, None),
        ({"secondsAfterCompletion": 100}, 40),
        ({"secondsAfterCompletion": 100, "secondsAfterFailure": 10}, 40),
        ({"secondsAfterCompletion": 100, "secondsAfterSuccess": 50}, -10),
    ],
)
def test_a_finished_run_stays_as_long_as_it_is_told(strategy: Any, left: float | None) -> None:
    status = {"phase": "Successful", "completedAt": "2026-01-01T00:00:00Z"}
    assert seconds_left({"spec": {"ttlStrategy": strategy}, "status": status}, "2026-01-01T00:01:00Z") == left


def test_what_others_may_have_changed_is_told_from_what_was_written() -> None:
    """Of a status that it wrote itself the queue looks at nothing again; of everything else it does."""
    run = {"metadata": {"name": "m", "resourceVersion": "1"}, "spec": {"metrics": []}, "status": {"phase": "Running"}}
    assert wishes(run) == wishes({**run, "metadata": {"name": "m", "resourceVersion": "2"}, "status": {}})
    assert wishes(run) != wishes({**run, "spec": {"metrics": [], "terminate": True}})
    assert wishes(run) != wishes({**run, "metadata": {"name": "m", "deletionTimestamp": "2026-01-01T00:00:00Z"}})


@pytest.mark.parametrize("name", ["m", "error-rate-of-the-checkout-in-europe", "x" * 200, "Errors-" + "y" * 60])
def test_each_measurement_has_a_job_of_its_own(name: str) -> None:
    uid = "0e0a1c6e-4c5d-4b7a-9d59-0f6a4f1d6a11"
    run = {"metadata": {"uid": uid, "namespace": "n", "name": "r"}}
    names = [JobOf(run, metric(name=one), number).name for one in (name, name + "z") for number in (1, 2, 11, 111)]
    assert len(set(names)) == len(names)
    assert all(len(one) <= 63 and one.startswith(uid) and one[-1].isdigit() for one in names)
