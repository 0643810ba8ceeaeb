"""One pass over one Rollout, as a story: look, decide, act, report. A pass that changes nothing writes nothing.

The work queue calls `reconcile` for one key at a time. What people wrote wrong is in the decision; what the cluster or
the engines fail at is raised, and tried again later.
"""

from services.rollout_manager.act import Acting, Collision, act
from services.rollout_manager.actions import Decision
from services.rollout_manager.decide import decide, refuse
from services.rollout_manager.gates.written import gates_of
from services.rollout_manager.keys import Obj, RolloutKey
from services.rollout_manager.observe import observe
from services.rollout_manager.parts import Parts
from services.rollout_manager.release import release
from services.rollout_manager.report import ahead, report
from services.rollout_manager.scope import ours
from services.rollout_manager.state import mapping, whole
from shared.clock import now
from shared.events import DELIVERY
from shared.kinds.wire import InvalidObject
from shared.kube import ApiError, Conflict, Key
from shared.telemetry import get_logger, trace

log = get_logger()
SOON = 0.05


async def reconcile(parts: Parts, key: RolloutKey) -> float | None:
    """Do one pass; gives the seconds until the next one is due by itself."""
    live = parts.rollouts.store.get(Key(*key))
    if live is None:
        parts.interest.set(key, ())
        parts.webhooks.forget(key)
        parts.settling.gone(key)
        parts.strays.forget(key)
        await release(parts, key)
        return None
    if not ours(live.meta.labels, parts.settings.instance_id):
        parts.interest.set(key, ())
        parts.strays.forget(key)
        return None
    if live.meta.deletionTimestamp is not None:
        return None
    with trace.traced(live.meta.annotations.get(DELIVERY, "")):
        obj = live.load()
        try:
            return await _pass(parts, key, obj)
        except Conflict:
            return SOON  # what we saw was not the newest: look again
        except ApiError as error:  # what the API server refuses is said where people look; it is tried again
            if not error.retriable:
                parts.recorder.record(obj, "ReconcileError", error.message, type_="Warning")
            raise


async def _pass(parts: Parts, key: RolloutKey, obj: Obj) -> float | None:
    try:
        seen = await observe(parts, key, obj, now())
    except InvalidObject as error:
        decision = refuse(obj, error.problems, now())
        await report(parts, key, obj, decision)
        return None
    decision = decide(seen)
    obj = await ahead(parts, key, obj, decision)
    try:
        await act(Acting(parts, key, seen), decision)
    except Collision as error:
        log.warning("a ReplicaSet's name is taken", rollout=str(key), name=str(error))
        await report(parts, key, obj, collided(obj))
        return None
    kept_back = await report(parts, key, obj, decision)
    if decision.ask:
        parts.webhooks.ask(key, gates_of(seen.rollout.metadata.annotations), decision.ask)
    return min((due for due in (decision.again, kept_back) if due is not None), default=None)


def collided(obj: Obj) -> Decision:
    """Count a collision: the next pass hashes with the count, and so has another name."""
    status = mapping(obj, "status")
    return Decision({**status, "collisionCount": (whole(status, "collisionCount") or 0) + 1})
