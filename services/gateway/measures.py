"""What the gateway counts: webhooks by sender, and how long each took."""

from shared.telemetry.metrics import counter, seconds

received = counter("webhooks_total", "Webhooks by provider and what became of them", ("provider", "outcome"))
took = seconds("webhook", "From a webhook's arrival to its answer", ("provider",))
