"""The jq expressions of `ignoreDifferences` that are more than a path: where they lead, asked of the engines.

In: objects with what is ignored of each. Out: the places of each, all of an Application's in one call. Raises
ComparisonFailed where an expression can't be read, fails or takes too long: what is not known is never in sync.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from services.reconciler.errors import ComparisonFailed
from shared.engines import query
from shared.engines.build import BuildError
from shared.engines.client import Engines
from shared.engines.errors import EngineError, EngineFailure
from shared.kinds.customizations import Ignored
from shared.merge import jq_path

Obj = dict[str, Any]
Leads = list[tuple[str | int, ...]] | ComparisonFailed
TOGETHER = 50


def needs_engine(ignored: Ignored) -> bool:
    """Tell whether any expression is more than a path."""
    return any(jq_path(text) is None for text in ignored.jq_path_expressions)


async def places(
    engines: Callable[[], Awaitable[Engines]], questions: Sequence[tuple[Ignored, Obj]], seconds: float
) -> list[Leads]:
    """Give for each object where its expressions lead, or why that can't be said."""
    asked = [
        query.Places([text for text in ignored.jq_path_expressions if jq_path(text) is None], obj)
        for ignored, obj in questions
    ]
    try:
        pool = await engines() if asked else None
        answers = [
            answer
            for first in range(0, len(asked), TOGETHER)
            if pool is not None
            for answer in await query.jq_paths(pool, asked[first : first + TOGETHER], seconds=seconds)
        ]
    except (EngineFailure, BuildError) as error:
        return [ComparisonFailed(f"ignoreDifferences: jq can't be asked: {error}", retriable=True)] * len(asked)
    return [_failed(one) if isinstance(one, EngineError) else [tuple(path) for path in one] for one in answers]


async def leads(
    engines: Callable[[], Awaitable[Engines]], ignored: Ignored, obj: Obj, seconds: float
) -> tuple[tuple[str | int, ...], ...]:
    """Give where the expressions lead in one object. Raises ComparisonFailed."""
    if not needs_engine(ignored):
        return ()
    (found,) = await places(engines, [(ignored, obj)], seconds)
    if isinstance(found, ComparisonFailed):
        raise found
    return tuple(found)


def _failed(error: EngineError) -> ComparisonFailed:
    late = error.reason == "FilterTimeout"
    hint = "; `ignore.normalizer.jq.timeout` in argocd-cm allows more" if late else ""
    return ComparisonFailed(f"ignoreDifferences: jq expression {error.message}{hint}", retriable=late)
