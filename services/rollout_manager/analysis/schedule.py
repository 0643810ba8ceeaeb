"""When a metric is measured next: on a grid from its first measurement, so that no delay adds up. Pure. Times are Unix
seconds.

A status has whole seconds: whoever made the first measurement knows better when that was (`Beat`); after a restart the
grid begins where the status says.
"""

import math
from typing import NamedTuple

from services.rollout_manager.analysis.metrics import Metric
from shared.clock import parse_rfc3339
from shared.kinds.analysis import Measurement, MetricResult

AFTER_ERROR = 10.0


class Beat(NamedTuple):
    """Where a metric's grid begins, and when its last measurement began."""

    origin: float
    last: float


def due(metric: Metric, result: MetricResult, started: float, beat: Beat | None = None) -> float:
    """A measurement that failed to be made is tried again after ten seconds, whatever the interval. One that was missed
    is made at once, and the next is on the grid again.
    """
    origin = started + metric.initial_delay
    last = result.measurements[-1] if result.measurements else None
    if last is None:
        return origin
    if last.phase == "Error":
        return moment(last.finished_at) + AFTER_ERROR
    if metric.interval is None:
        return moment(last.finished_at)
    beat = beat or Beat(origin, moment(last.started_at))
    return next_on_grid(beat.origin, metric.interval, beat.last)


def next_on_grid(origin: float, interval: float, last: float) -> float:
    """The first point of the grid that is more than half an interval after the last one: times are written in whole
    seconds, so the last one may seem a little early.
    """
    if interval <= 0:
        return last
    return origin + interval * math.floor((last - origin) / interval + 1.5)


def moment(text: str | None) -> float:
    return parse_rfc3339(text).timestamp() if text else 0.0


def running(result: MetricResult) -> Measurement | None:
    """The measurement that is being made."""
    last = result.measurements[-1] if result.measurements else None
    return last if last is not None and last.phase in {"Running", "Pending"} else None
