"""The run's half of analysis: the queue over all AnalysisRuns."""

import asyncio

from services.rollout_manager.parts import Parts


async def run_analyses(parts: Parts, tasks: asyncio.TaskGroup) -> None:
    """Start what works on AnalysisRuns, in the group; returns when the first list is in."""
