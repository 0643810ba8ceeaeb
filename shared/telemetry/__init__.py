"""What a service says about itself: log lines, metrics, and the trace that joins them.

`log` writes structured lines, `metrics` holds the Prometheus registry, `trace` carries the delivery id and the W3C
trace context from task to task. Nothing in here knows Kubernetes, NATS or git.
"""

from shared.telemetry.log import configure, get_logger

__all__ = ["configure", "get_logger"]
