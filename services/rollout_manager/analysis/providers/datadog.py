"""Datadog: an instant of a query over the last `interval`, by its API v1 or v2 (with formulas)."""

import time
from collections.abc import Mapping
from typing import Any

from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers import Ask, setting
from services.rollout_manager.analysis.providers.answer import Answer, ProviderError
from services.rollout_manager.analysis.providers.numbers import single
from shared.kinds.durations import seconds

SECRET = "datadog"  # noqa: S105 - the name of a Secret
ADDRESS = "https://api.datadoghq.com"
NOTHING = Answer(None, "[]")


async def measure(ask: Ask, metric: Metric) -> Answer:
    config = metric.config
    keys = await _keys(ask, config)
    try:
        back = seconds(setting(config, "interval", "5m"))
    except ValueError as error:
        raise ProviderError(f"interval: {error}") from error
    address = (keys.get("address") or ADDRESS).rstrip("/")
    headers = {"DD-API-KEY": keys["api-key"], "DD-APPLICATION-KEY": keys["app-key"]}
    version = setting(config, "apiVersion", "v1").lower()
    if version == "v1":
        return await _v1(ask, address, headers, config, back)
    if version == "v2":
        return await _v2(ask, address, headers, config, back)
    raise ProviderError(f"apiVersion is v1 or v2, not {version!r}")


async def _keys(ask: Ask, config: Mapping[str, Any]) -> Mapping[str, str]:
    ref = config.get("secretRef") or {}
    name = str(ref.get("name") or SECRET)
    found = await (ask.secret(name) if ref.get("namespaced") else ask.shared_secret(name))
    missing = [key for key in ("api-key", "app-key") if not found.get(key)]
    if missing:
        raise ProviderError(f"the Secret {name} has no {' and no '.join(missing)}")
    return found


async def _v1(ask: Ask, address: str, headers: Mapping[str, str], config: Mapping[str, Any], back: float) -> Answer:
    if not config.get("query"):
        raise ProviderError("a datadog metric of API v1 needs a query")
    until = int(time.time())
    params = {"query": str(config["query"]), "from": str(int(until - back)), "to": str(until)}
    found = (await ask.web.request("GET", f"{address}/api/v1/query", params=params, headers=headers)).json()
    if not isinstance(found, dict) or found.get("status") != "ok":
        raise ProviderError(f"datadog: {found.get('error') if isinstance(found, dict) else 'no object'}")
    points = [point for one in (found.get("series") or ())[:1] for point in one.get("pointlist") or ()]
    newest = next((point[1] for point in reversed(points) if point[1] is not None), None)
    return NOTHING if newest is None else single(newest)


async def _v2(ask: Ask, address: str, headers: Mapping[str, str], config: Mapping[str, Any], back: float) -> Answer:
    import json

    until = int(time.time() * 1000)
    attributes = {"from": int(until - back * 1000), "to": until, **_question(config)}
    body = json.dumps({"data": {"type": "scalar_request", "attributes": attributes}}).encode()
    sent = {**headers, "Content-Type": "application/json"}
    found = (await ask.web.request("POST", f"{address}/api/v2/query/scalar", headers=sent, body=body)).json()
    if isinstance(found, dict) and found.get("errors"):
        raise ProviderError(f"datadog: {found['errors']}")
    try:
        columns = [one for one in found["data"]["attributes"]["columns"] if one.get("type", "number") == "number"]
        values = columns[0]["values"] if columns else []
    except (KeyError, TypeError) as error:
        raise ProviderError("datadog answered something that is no scalar") from error
    return single(values[0]) if values and values[0] is not None else NOTHING


def _question(config: Mapping[str, Any]) -> dict[str, Any]:
    """One query, or several by name and the formula that makes one number of them."""
    several: Mapping[str, Any] = config.get("queries") or {}
    if bool(several) == bool(config.get("query")):
        raise ProviderError("a datadog metric needs either query or queries")
    formula = str(config.get("formula") or ("query" if not several else ""))
    if not formula and len(several) > 1:
        raise ProviderError("several queries need a formula")
    named = several or {"query": config["query"]}
    aggregator = str(config.get("aggregator") or "last")
    queries = [
        {"aggregator": aggregator, "data_source": "metrics", "name": name, "query": str(text)}
        for name, text in named.items()
    ]
    return {"queries": queries, "formulas": [{"formula": formula or next(iter(named))}]}
