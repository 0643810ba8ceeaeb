"""How long a finished AnalysisRun stays: `ttlStrategy`. Pure."""

from typing import Any

from services.rollout_manager.analysis import Phase
from services.rollout_manager.keys import Obj
from shared.clock import parse_rfc3339


def seconds_left(run: Obj, now: str) -> float | None:
    """None: it stays. The setting for its verdict goes before the one for all."""
    strategy = (run.get("spec") or {}).get("ttlStrategy") or {}
    status = run.get("status") or {}
    special = "secondsAfterSuccess" if status.get("phase") == Phase.SUCCESSFUL else "secondsAfterFailure"
    limit: Any = strategy.get(special, strategy.get("secondsAfterCompletion"))
    completed = str(status.get("completedAt") or "")
    if not isinstance(limit, int) or not completed:
        return None
    try:
        return limit - (parse_rfc3339(now) - parse_rfc3339(completed)).total_seconds()
    except ValueError:
        return None
