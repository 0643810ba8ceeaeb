"""Two slow loops that make up for what events don't bring: news that got lost, and revisions that moved on without an
Application.
"""

import asyncio
import random

from services.reconciler.desire import current_revisions
from services.reconciler.handlers import on_late
from services.reconciler.parts import Parts
from services.reconciler.state import AppState
from shared.events import RequestError
from shared.telemetry import get_logger

log = get_logger()


async def check_heads(parts: Parts) -> None:
    """Ask git about every branch in use, once an interval: a lost event costs time, never correctness."""
    while True:
        await asyncio.sleep(parts.settings.refresh_seconds * random.uniform(0.9, 1.1))  # noqa: S311 - jitter, no secret
        for branch in parts.index.branches():
            try:
                moved = await parts.heads.catch_up(branch)
            except RequestError as error:
                log.warning("a branch can't be checked", repo=branch.repo, ref=branch.ref, error=str(error))
                continue
            if moved is not None:
                on_late(parts, moved)


async def follow_heads(parts: Parts) -> None:
    """Let the status of Applications that a push did not touch catch up with its revision, spread over the interval."""
    while True:
        behind = [key for key, state in parts.states.items() if lags(parts, state)]
        pause = parts.settings.revision_lag_seconds / max(1, len(behind))
        for key in behind:
            parts.queue.add(key)
            await asyncio.sleep(pause)
        if not behind:
            await asyncio.sleep(parts.settings.revision_lag_seconds)


def lags(parts: Parts, state: AppState) -> bool:
    """Tell whether the written revision is older than the one that the Application is good for."""
    sync = (state.obj.get("status") or {}).get("sync") or {}
    written = tuple(sync.get("revisions") or [sync.get("revision")])
    return state.rendered is not None and not state.errors and written != current_revisions(parts, state)
