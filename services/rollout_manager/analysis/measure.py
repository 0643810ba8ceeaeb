"""Making one measurement: ask the provider, judge its answer by the metric's conditions.

In: a metric with its arguments filled in. Out: a `Measurement`; whatever goes wrong is one with phase Error and a
message that names no secret. Never raises but when it is cancelled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.rollout_manager.analysis import Phase
from services.rollout_manager.analysis.arguments import redacted
from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers import Answer, Ask, ProviderError, provider
from shared.clock import now, rfc3339
from shared.engines import expressions
from shared.engines.client import Engines
from shared.engines.errors import EngineError, EngineFailure
from shared.kinds.analysis import Measurement
from shared.telemetry import get_logger

log = get_logger()
LONGEST_VALUE = 1024
NO_DATA = "metric result is nil or empty: no data returned from the metric provider"


@dataclass(frozen=True)
class Judged:
    phase: Phase
    message: str = ""


async def measure(ask: Ask, engines: Engines, metric: Metric, secrets: list[str]) -> Measurement:
    began = rfc3339(now())
    metadata: Mapping[str, str] = {}
    value = ""
    try:
        answer = await provider(metric.provider)(ask, metric)
        value, metadata = answer.text, answer.metadata
        judged = await judge(engines, metric, answer)
    except (ProviderError, EngineError, EngineFailure) as error:
        judged = Judged(Phase.ERROR, str(error))
    except Exception as error:  # the edge of a tenant's manifest: whatever it holds, the other runs go on
        log.exception("a metric broke its provider", metric=metric.name, provider=metric.provider)
        judged = Judged(Phase.ERROR, f"the provider can't read its configuration or the answer: {type(error).__name__}")
    return Measurement(
        phase=judged.phase.value,
        value=clipped(redacted(value, secrets)),
        message=clipped(redacted(judged.message, secrets)),
        started_at=began,
        finished_at=rfc3339(now()),
        metadata={name: clipped(redacted(text, secrets)) for name, text in metadata.items()},
    )


def clipped(text: str) -> str:
    """An object holds a megabyte and a half, all measurements together."""
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


async def judge(engines: Engines, metric: Metric, answer: Answer) -> Judged:
    """Raises EngineError for a condition that can't be evaluated."""
    if metric.no_data is not None and nothing(answer):
        return Judged(metric.no_data, NO_DATA)
    if answer.phase is not None:
        return Judged(answer.phase, answer.message)
    if not metric.success and not metric.failure:
        return Judged(Phase.SUCCESSFUL)
    if answer.value is None or answer.value == []:
        raise ProviderError(NO_DATA)
    failed = await _holds(engines, metric.failure, answer.value) if metric.failure else None
    succeeded = await _holds(engines, metric.success, answer.value) if metric.success and not failed else None
    return Judged(phase_of(succeeded=succeeded, failed=failed))


def nothing(answer: Answer) -> bool:
    """The provider was asked and had no data; one that judges itself says so itself."""
    return answer.empty or (answer.phase is None and (answer.value is None or answer.value == []))


async def _holds(engines: Engines, condition: str, value: Any) -> bool:
    found = await expressions.evaluate(engines, condition, {"result": value}, functions="rollouts")
    if not isinstance(found, bool):
        raise ProviderError(f"expected bool, but got {type(found).__name__}")
    return found


def phase_of(*, succeeded: bool | None, failed: bool | None) -> Phase:
    """None: there is no such condition. Failure wins; with both conditions and neither true nobody knows."""
    if failed:
        return Phase.FAILED
    if succeeded is None:
        return Phase.SUCCESSFUL
    if succeeded:
        return Phase.SUCCESSFUL
    return Phase.FAILED if failed is None else Phase.INCONCLUSIVE
