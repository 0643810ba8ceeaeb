"""A metric ready to be measured: numbers as numbers, durations in seconds, its one provider. Pure.

`read` says everything that is wrong with a run's metrics (spec 6.1), in Argo's words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.rollout_manager.analysis import InvalidAnalysis, Phase
from shared.kinds.analysis import Metric as Written
from shared.kinds.durations import seconds

DEFAULT_ERRORS = 4
MOST = 1000  # what comes of them has to fit into one object
OFF = -1
NONE = "no metrics specified"
NUMBERS = (
    "interval",
    "initial_delay",
    "count",
    "failure_limit",
    "inconclusive_limit",
    "consecutive_error_limit",
    "consecutive_success_limit",
)


@dataclass(frozen=True)
class Metric:
    """`count` None: measured until someone ends the run. Limits are what may be, one more is too much."""

    name: str
    provider: str
    config: Any = field(repr=False)
    interval: float | None = None
    initial_delay: float = 0.0
    count: int | None = 1
    success: str = ""
    failure: str = ""
    failure_limit: int = 0
    inconclusive_limit: int = 0
    error_limit: int = DEFAULT_ERRORS
    success_limit: int = 0
    no_data: Phase | None = None


def read(written: Sequence[Written]) -> tuple[Metric, ...]:
    """Raises InvalidAnalysis."""
    if len(written) > MOST:
        raise InvalidAnalysis(f"{len(written)} metrics: an AnalysisRun may have {MOST}")
    metrics, problems, names = [], [], set[str]()
    for index, one in enumerate(written):
        if one.name in names:
            problems.append(f"metrics[{index}]: duplicate name '{one.name}'")
        names.add(one.name)
        try:
            metric = _metric(one)
        except ValueError as error:
            problems.append(f"metrics[{index}]: {error}")
            continue
        problems += [f"metrics[{index}]: {problem}" for problem in wrong(metric, one)]
        metrics.append(metric)
    if not names:
        problems.append(NONE)
    if problems:
        raise InvalidAnalysis(*problems)
    return tuple(metrics)


def _metric(one: Written) -> Metric:
    providers = [name for name, config in one.provider.items() if config is not None]
    if len(providers) != 1:
        raise ValueError("no provider specified" if not providers else "multiple providers specified")
    interval = _duration(one.interval, "interval")
    count = _number(one.count, "count", 0)
    return Metric(
        name=one.name,
        provider=providers[0],
        config=one.provider[providers[0]],
        interval=interval,
        initial_delay=_duration(one.initial_delay, "startDelay") or 0.0,
        count=count or (None if interval is not None else 1),
        success=one.success_condition,
        failure=one.failure_condition,
        failure_limit=_number(one.failure_limit, "failureLimit", 0),
        inconclusive_limit=_number(one.inconclusive_limit, "inconclusiveLimit", 0),
        error_limit=_number(one.consecutive_error_limit, "consecutiveErrorLimit", DEFAULT_ERRORS),
        success_limit=_number(one.consecutive_success_limit, "consecutiveSuccessLimit", 0),
    )


def _duration(text: str, what: str) -> float | None:
    if not text:
        return None
    try:
        found = seconds(text)
    except ValueError as error:
        raise ValueError(f"invalid {what} string: {error}") from error
    if found < 0:
        raise ValueError(f"invalid {what} string: {text} is less than nothing")
    return found


def _number(value: int | str | None, what: str, default: int) -> int:
    if value is None or value == "":
        return default
    try:
        return int(value)
    except ValueError as error:
        raise ValueError(f"{what}: {value!r} is no number") from error


def wrong(metric: Metric, written: Written) -> Iterator[str]:
    """What contradicts itself."""
    if not metric.name:
        yield "a metric needs a name"
    if metric.count is not None and metric.count > 1 and metric.interval is None:
        yield "interval must be specified when count > 1"
    yield from _limits(metric)
    if metric.count is not None and written.count not in {None, "", 0, "0"}:
        if metric.count < max(0, metric.failure_limit) + metric.success_limit:
            yield "count must be >= failureLimit + consecutiveSuccessLimit"
        if metric.count < metric.inconclusive_limit:
            yield "count must be >= inconclusiveLimit"


def _limits(metric: Metric) -> Iterator[str]:
    if metric.failure_limit < OFF:
        yield "failureLimit must be >= 0 or -1"
    if metric.failure_limit == OFF and metric.success_limit == 0:
        yield "failureLimit and consecutiveSuccessLimit can not both be disabled"
    limits = {
        "consecutiveSuccessLimit": metric.success_limit,
        "inconclusiveLimit": metric.inconclusive_limit,
        "consecutiveErrorLimit": metric.error_limit,
    }
    yield from (f"{name} must be >= 0" for name, limit in limits.items() if limit < 0)
