"""What the renderer counts: how long answers take and why they fail."""

from shared.telemetry import metrics

renders = metrics.seconds("render", "Time to answer a render request", ("outcome",))
failures = metrics.counter("render_failures_total", "Renders that failed, by reason", ("reason",))
