"""The experiment's half: the queue over all Experiments."""

import asyncio

from services.rollout_manager.parts import Parts


async def run_experiments(parts: Parts, tasks: asyncio.TaskGroup) -> None:
    """Start what works on Experiments, in the group; returns when the first list is in."""
