"""A Job: complete is a success, failed is a failure. Running it is the loop's (`Ask.job`)."""

from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers import Ask
from services.rollout_manager.analysis.providers.answer import Answer


async def measure(ask: Ask, metric: Metric) -> Answer:
    return await ask.job(metric)
