"""A partition is handed over as soon as nothing of it is being written: a sync that waits, for a hook too, goes on with
the next replica.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.reconciler.handover import finished, writes
from services.reconciler.keys import AppKey
from services.reconciler.live import Changes
from services.reconciler.outcome import Outcome
from services.reconciler.partitions import EVERYTHING
from services.reconciler.state import AppState, Running
from services.reconciler.waits import IsGone, settle
from shared.kinds.refs import ResourceKey

KEY = AppKey("argocd", "web")
HOOK = ResourceKey("batch", "Job", "web", "migrate")


def syncing() -> AppState:
    return AppState(KEY, running=Running({"phase": "Running"}, "one"))


@asynccontextmanager
async def waiting_for(state: AppState, *, hook: bool) -> AsyncIterator[Changes]:
    """A wave of this sync, waiting for one object."""
    assert state.running is not None
    changes: Changes = asyncio.Queue()
    outcome = Outcome(HOOK, "v1", "Synced", "")
    waiting = settle(changes, {HOOK: IsGone(outcome, "uid")}, {HOOK} if hook else set(), state.running.wait)
    ended = asyncio.ensure_future(anext(waiting))
    await asyncio.sleep(0)
    yield changes
    changes.put_nowait((HOOK, None))
    assert await ended == outcome
    assert [one async for one in waiting] == []


@pytest.mark.parametrize("hook", [True, False])
async def test_a_sync_that_waits_holds_nothing_back(hook: bool) -> None:
    state = syncing()
    assert writes(state)
    async with waiting_for(state, hook=hook):
        await finished({KEY: state}, EVERYTHING)
    assert writes(state), "what came of it is not written down yet"


async def test_but_nothing_newer_takes_the_place_of_one_whose_hook_runs() -> None:
    state = syncing()
    assert state.running is not None
    async with waiting_for(state, hook=True):
        assert not state.running.waiting
    async with waiting_for(state, hook=False):
        assert state.running.waiting
