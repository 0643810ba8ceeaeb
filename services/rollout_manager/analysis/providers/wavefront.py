"""Wavefront's chart API: the newest number of each series; one alone is a number."""

import time

from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers import Ask, needed, setting
from services.rollout_manager.analysis.providers.answer import Answer, ProviderError
from services.rollout_manager.analysis.providers.numbers import several, single

SECRET = "wavefront-api-tokens"  # noqa: S105 - the name of a Secret
BACK_SECONDS = 60


async def measure(ask: Ask, metric: Metric) -> Answer:
    needed(metric.config, "address", "query")
    address = setting(metric.config, "address")
    token = (await ask.shared_secret(SECRET)).get(address)
    if not token:
        raise ProviderError(f"the Secret {SECRET} has no token for {address}")
    now_ms = int(time.time() * 1000)
    answer = await ask.web.request(
        "GET",
        f"https://{address}/api/v2/chart/api" if "://" not in address else f"{address}/api/v2/chart/api",
        params={"q": setting(metric.config, "query"), "s": str(now_ms - BACK_SECONDS * 1000), "g": "m"},
        headers={"Authorization": f"Bearer {token}"},
    )
    found = answer.json()
    try:
        newest = [one["data"][-1][1] for one in found.get("timeseries") or () if one.get("data")]
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ProviderError("wavefront answered something that is no series") from error
    return single(newest[0]) if len(newest) == 1 else several(newest)
