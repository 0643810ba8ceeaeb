"""Graphite's render API: the numbers of the first series."""

from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers import Ask, needed, setting
from services.rollout_manager.analysis.providers.answer import Answer, ProviderError
from services.rollout_manager.analysis.providers.numbers import several


async def measure(ask: Ask, metric: Metric) -> Answer:
    needed(metric.config, "address", "query")
    answer = await ask.web.request(
        "GET",
        f"{setting(metric.config, 'address').rstrip('/')}/render",
        params={"target": setting(metric.config, "query"), "format": "json"},
    )
    found = answer.json()
    try:
        points = found[0]["datapoints"] if found else []
        return several(value for value, _ in points if value is not None)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ProviderError("graphite answered something that is no series") from error
