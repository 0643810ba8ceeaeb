"""Prometheus' HTTP API: an instant query, or a range query whose times are expressions. A scalar is a number, a vector
or matrix a list of numbers.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers import Ask, setting
from services.rollout_manager.analysis.providers.answer import Answer, ProviderError
from services.rollout_manager.analysis.providers.aws import from_environment
from services.rollout_manager.analysis.providers.numbers import several, single
from services.rollout_manager.analysis.providers.oauth2 import authorization
from shared.clock import now
from shared.engines import expressions
from shared.engines.client import Engines
from shared.kinds.durations import seconds
from shared.security.sigv4 import signed

ADDRESS = "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS"
MANAGED = "aps-workspaces"
DEFAULT_SECONDS = 30


async def measure(ask: Ask, metric: Metric) -> Answer:
    config = metric.config
    address = setting(config, "address") or os.environ.get(ADDRESS, "")
    query = setting(config, "query")
    if not address or not query:
        raise ProviderError(f"a prometheus metric needs a query, and an address (or the variable {ADDRESS})")
    given = config.get("headers") or ()
    headers = {str(one.get("key")): str(one.get("value")) for one in given}
    given_login = config.get("authentication")
    login = given_login if isinstance(given_login, dict) else {}
    headers |= await authorization(ask.web, {name: one for name, one in login.items() if name != "sigv4"})
    path, times = await _range(ask.engines, config.get("rangeQuery"))
    url, params = f"{address.rstrip('/')}/api/v1/{path}", {"query": query, **times}
    headers = signed_by_aws(url, params, headers, login.get("sigv4"))
    answer = await ask.web.request(
        "GET",
        url,
        params=params,
        headers=headers,
        seconds=float(config.get("timeout") or DEFAULT_SECONDS),
        insecure=bool(config.get("insecure")),
        ok=False,
    )
    found = answer.json()
    if not isinstance(found, dict) or found.get("status") != "success":
        raise ProviderError(f"prometheus: {_error(found, answer.status)}")
    result = read(found.get("data") or {})
    return Answer(result.value, result.text, metadata={"ResolvedPrometheusQuery": query})


def signed_by_aws(url: str, params: Mapping[str, str], headers: dict[str, str], asked: Any) -> dict[str, str]:
    """For Amazon's managed Prometheus, with the rollout manager's own login; other hosts never see a signature."""
    if not asked or MANAGED not in (urlsplit(url).hostname or ""):
        return headers
    if setting(asked, "profile") or setting(asked, "roleArn"):
        raise ProviderError("sigv4: profile and roleArn are not supported, only the environment's login")
    login, region = from_environment(setting(asked, "region"))
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in params.items())
    sent = signed("GET", f"{url}?{query}", headers, b"", login, region, "aps", now())
    return {name: value for name, value in sent.items() if name != "host"}


def _error(found: Any, status: int) -> str:
    return str(found.get("error") or f"status {status}") if isinstance(found, dict) else f"status {status}"


async def _range(engines: Engines, asked: Any) -> tuple[str, dict[str, str]]:
    """Where to ask, and for which times."""
    if not asked:
        return "query", {}
    times = {name: await _moment(engines, str(asked.get(name) or "now()")) for name in ("start", "end")}
    try:
        step = seconds(str(asked.get("step") or "0"))
    except ValueError as error:
        raise ProviderError(f"rangeQuery.step: {error}") from error
    return "query_range", {**times, "step": str(step)}


async def _moment(engines: Engines, expression: str) -> str:
    found = await expressions.evaluate(engines, expression, {}, functions="rollouts")
    try:
        return str(datetime.fromisoformat(str(found)).timestamp())
    except ValueError as error:
        raise ProviderError(f"rangeQuery: {expression!r} is no time") from error


def read(data: Any) -> Answer:
    """Raises ProviderError."""
    kind, result = data.get("resultType"), data.get("result")
    try:
        if kind == "scalar":
            return single(result[1])
        if kind == "vector":
            return several(one["value"][1] for one in result)
        if kind == "matrix":
            return several(pair[1] for one in result for pair in one["values"])
    except (KeyError, IndexError, TypeError) as error:
        raise ProviderError(f"prometheus answered a {kind} of a shape that nobody knows") from error
    raise ProviderError(f"prometheus answered a {kind}: ask for a scalar, a vector or a matrix")
