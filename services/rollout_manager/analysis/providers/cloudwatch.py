"""Amazon CloudWatch: GetMetricData over the last `interval`; conditions see the list of its results.

Credentials and region are the environment's: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION.
"""

import json
import os
from datetime import timedelta
from typing import Any

from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers import Ask, setting
from services.rollout_manager.analysis.providers.answer import Answer, ProviderError
from services.rollout_manager.analysis.providers.aws import from_environment
from shared.clock import now
from shared.kinds.durations import seconds
from shared.security.sigv4 import signed

ENDPOINT = "AWS_ENDPOINT_URL_CLOUDWATCH"
TARGET = "GraniteServiceVersion20100801.GetMetricData"


async def measure(ask: Ask, metric: Metric) -> Answer:
    queries = metric.config.get("metricDataQueries")
    if not isinstance(queries, list) or not queries:
        raise ProviderError("a cloudWatch metric needs metricDataQueries")
    try:
        back = seconds(setting(metric.config, "interval", "5m"))
    except ValueError as error:
        raise ProviderError(f"interval: {error}") from error
    until = now()
    body = {
        "StartTime": (until - timedelta(seconds=back)).timestamp(),
        "EndTime": until.timestamp(),
        "MetricDataQueries": [capitalised(one) for one in queries],
    }
    found = await _ask(ask, json.dumps(body).encode())
    results = found.get("MetricDataResults") if isinstance(found, dict) else None
    if not isinstance(results, list):
        raise ProviderError("cloudWatch answered something that is no result")
    empty = not any(one.get("Values") for one in results if isinstance(one, dict))
    return Answer(results, json.dumps(results, separators=(",", ":")), empty=empty)


async def _ask(ask: Ask, body: bytes) -> Any:
    login, region = from_environment()
    url = os.environ.get(ENDPOINT) or f"https://monitoring.{region}.amazonaws.com/"
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": TARGET}
    sent = signed("POST", url, headers, body, login, region, "monitoring", now())
    return (await ask.web.request("POST", url, headers=sent, body=body)).json()


def capitalised(value: Any) -> Any:
    """The manifest's field names begin small, the API's with a capital."""
    if isinstance(value, dict):
        return {f"{name[:1].upper()}{name[1:]}": capitalised(inner) for name, inner in value.items()}
    return [capitalised(one) for one in value] if isinstance(value, list) else value
