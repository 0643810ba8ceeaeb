"""Which metrics `dryRun` and `measurementRetention` mean: their names are RE2 patterns that match anywhere."""

from collections.abc import Sequence

from services.rollout_manager.analysis import InvalidAnalysis
from shared.engines import regex
from shared.engines.client import Engines
from shared.engines.errors import EngineError


async def chosen(engines: Engines, patterns: Sequence[str], names: Sequence[str], field: str) -> dict[str, int]:
    """Metrics by name, with the index of the first pattern that means them. Raises InvalidAnalysis."""
    found: dict[str, int] = {}
    problems = []
    for index, pattern in enumerate(patterns):
        try:
            hits = await regex.matches(engines, pattern, names)
        except EngineError as error:
            problems.append(f"{field}[{index}]: {error.message}")
            continue
        if not any(hits):
            problems.append(f"{field}[{index}]: Rule didn't match any metric name(s)")
        for name, hit in zip(names, hits, strict=True):
            if hit:
                found.setdefault(name, index)
    if problems:
        raise InvalidAnalysis(*problems)
    return found
