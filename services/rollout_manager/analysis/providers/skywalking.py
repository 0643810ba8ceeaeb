"""Apache SkyWalking: a GraphQL query with a `$duration`; conditions see its whole data."""

import json
from datetime import timedelta

from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers import Ask, needed, setting
from services.rollout_manager.analysis.providers.answer import Answer, ProviderError
from shared.clock import now
from shared.kinds.durations import seconds

MINUTE = "%Y-%m-%d %H%M"


async def measure(ask: Ask, metric: Metric) -> Answer:
    needed(metric.config, "address", "query")
    try:
        back = seconds(setting(metric.config, "interval", "5m"))
    except ValueError as error:
        raise ProviderError(f"interval: {error}") from error
    until = now()
    duration = {
        "start": (until - timedelta(seconds=back)).strftime(MINUTE),
        "end": until.strftime(MINUTE),
        "step": "MINUTE",
    }
    body = json.dumps({"query": setting(metric.config, "query"), "variables": {"duration": duration}}).encode()
    address = f"{setting(metric.config, 'address').rstrip('/')}/graphql"
    found = (await ask.web.request("POST", address, headers={"Content-Type": "application/json"}, body=body)).json()
    if not isinstance(found, dict) or found.get("errors") or "data" not in found:
        said = found.get("errors") if isinstance(found, dict) else "no object"
        raise ProviderError(f"skywalking: {said}")
    return Answer(found["data"], json.dumps(found["data"], separators=(",", ":")))
