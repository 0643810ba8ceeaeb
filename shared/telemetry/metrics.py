"""Prometheus metrics: one registry for the process, made by these helpers so that every name starts with `tiphys_`.

Labels have few values (a subject's kind, an outcome), never a name that users choose without bound.
"""

from collections.abc import Sequence

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


def counter(name: str, meaning: str, labels: Sequence[str] = ()) -> Counter:
    return Counter(f"tiphys_{name}", meaning, labels)


def gauge(name: str, meaning: str, labels: Sequence[str] = ()) -> Gauge:
    return Gauge(f"tiphys_{name}", meaning, labels)


def seconds(name: str, meaning: str, labels: Sequence[str] = (), buckets: Sequence[float] = SECONDS) -> Histogram:
    return Histogram(f"tiphys_{name}_seconds", meaning, labels, buckets=buckets)


def exposition() -> bytes:
    """What `/metrics` answers."""
    return generate_latest(REGISTRY)
