"""Any HTTP API: a request, and a JSONPath into its answer."""

import json
from typing import Any

from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers import Ask, needed, setting
from services.rollout_manager.analysis.providers.answer import Answer, ProviderError
from services.rollout_manager.analysis.providers.oauth2 import authorization
from shared.engines import query
from shared.engines.errors import EngineError

METHODS = frozenset({"GET", "POST", "PUT"})
DEFAULT_SECONDS = 10
WHOLE = "{$}"


async def measure(ask: Ask, metric: Metric) -> Answer:
    config = metric.config
    needed(config, "url")
    method = setting(config, "method", "GET")
    if method not in METHODS:
        raise ProviderError(f"method must be GET, POST or PUT, not {method!r}")
    headers = {str(one.get("key")): str(one.get("value")) for one in config.get("headers") or ()}
    body = _body(config)
    if config.get("jsonBody") is not None:
        headers.setdefault("Content-Type", "application/json")
    headers |= await authorization(ask.web, config.get("authentication"))
    answer = await ask.web.request(
        method,
        config["url"],
        headers=headers,
        body=body,
        seconds=float(config.get("timeoutSeconds") or DEFAULT_SECONDS),
        insecure=bool(config.get("insecure")),
    )
    return await read(ask, answer.text, setting(config, "jsonPath") or WHOLE)


def _body(config: dict[str, Any]) -> bytes | None:
    text, value = config.get("body"), config.get("jsonBody")
    if text and value is not None:
        raise ProviderError("use either body or jsonBody, not both")
    if value is not None:
        return json.dumps(value).encode()
    return str(text).encode() if text else None


async def read(ask: Ask, text: str, path: str) -> Answer:
    """What is no JSON is a text, and then there is nothing to look for in it."""
    try:
        value = json.loads(text)
    except ValueError:
        return Answer(text, text)
    try:
        found = await query.jsonpath(ask.engines, path, value)
    except EngineError as error:
        raise ProviderError(f"jsonPath {path!r}: {error.message}") from error
    values = [one for part in found.values for one in part]
    result = values[0] if len(values) == 1 else values
    return Answer(result, json.dumps(result, separators=(",", ":")))
