"""One pass over one Application, as a story: what is wanted, what lives, what to do about it, what to say.

The work queue calls `reconcile` for one key at a time. Whatever goes wrong is raised typed by the step that met it
and becomes, here and only here, a condition and a pause. A pass that changes nothing writes nothing.
"""

import time

from services.reconciler.act import act, end_if_asked
from services.reconciler.deletion import finalize
from services.reconciler.desire import desire
from services.reconciler.desired import Condition
from services.reconciler.destination import Destination
from services.reconciler.destinations import destination_of
from services.reconciler.errors import ApplicationError, InvalidSpec
from services.reconciler.fence import fenced
from services.reconciler.gate import permission
from services.reconciler.keys import AppKey
from services.reconciler.observe import observe
from services.reconciler.parts import Parts
from services.reconciler.permission import check_spec
from services.reconciler.report import keep_finalizers, report
from services.reconciler.state import AppState, destination_spec
from shared.kinds.options import skips_reconcile
from shared.telemetry import get_logger, trace

log = get_logger()
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 180.0


async def reconcile(parts: Parts, key: AppKey) -> None:
    """Do one pass."""
    state = parts.states.get(key)
    if state is None or not may_begin(parts, state):
        return
    with trace.traced(state.delivery), fenced(lambda: parts.membership.acts(key)):
        if state.deleting:
            finalize(parts, state)
            return
        end_if_asked(state)
        destination, state.errors = await look(parts, state)
        if destination is not None and parts.membership.takes(key):
            act(parts, state, destination)
        await report(parts, state)
        await keep_finalizers(parts, state)
    schedule(parts, state)


def may_begin(parts: Parts, state: AppState) -> bool:
    """Tell whether a pass may begin; in a partition that is handed over only to say how a sync goes on and ends.

    An Application with `skip-reconcile` is left alone, as is everything that it holds; and those of a cluster with it.
    """
    if state.running is None and (skips_reconcile(state.obj) or parts.destinations.skips(destination_spec(state))):
        return False
    return parts.membership.takes(state.key) or (parts.membership.acts(state.key) and state.running is not None)


async def look(parts: Parts, state: AppState) -> tuple[Destination | None, tuple[Condition, ...]]:
    """Find out what is wanted and what lives, and where; or give what made that impossible."""
    try:
        if state.problems:
            raise InvalidSpec("; ".join(state.problems))
        check_spec(parts, state)
        destination = await destination_of(parts, state)
        await desire(parts, state, destination)
        await observe(parts, state, destination)
        state.window = await permission(parts, state, manual=False)
    except ApplicationError as error:
        return None, fault(state, error)
    state.failures = 0
    return destination, ()


def fault(state: AppState, error: ApplicationError) -> tuple[Condition, ...]:
    """Turn an error into the condition that shows it, and set the pause before the next try."""
    state.failures += 1
    state.retry_at = time.monotonic() + pause(state.failures) if error.retriable else None
    condition = Condition(error.condition, error.message)
    if condition not in state.errors:
        log.warning("application can't be compared", app=str(state.key), condition=error.condition, error=error.message)
    return (condition,)


def pause(failures: int) -> float:
    """Seconds before trying again after so many failures in a row."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10))


def schedule(parts: Parts, state: AppState) -> None:
    """Come back when there is a reason to: a failure to try again, or a source that nobody reports on."""
    if state.errors and state.retry_at is not None:
        parts.queue.add_after(state.key, max(0.05, state.retry_at - time.monotonic()))
    elif state.rendered and any(head.branch is None and head.floating for head in state.rendered.heads):
        parts.queue.add_after(state.key, parts.settings.refresh_seconds)
