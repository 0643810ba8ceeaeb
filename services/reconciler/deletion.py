"""Deleting an Application that has the resources finalizer: its objects first, highest wave first, then the finalizer.

Foreground and background as the finalizer's suffix says. What says `Prune=false`/`Delete=false`, Helm's keep, CRDs'
own rule: stays. An object is deleted only by its uid and only when its own tracking names this Application; what
can't be read is not deleted.
"""

from collections.abc import Iterable

from services.reconciler.announce import announce
from services.reconciler.desired import Condition
from services.reconciler.destination import Destination
from services.reconciler.destinations import destination_of
from services.reconciler.errors import ApplicationError, DeletionFailed, InvalidSpec
from services.reconciler.live import Live
from services.reconciler.observe import held_kinds
from services.reconciler.parts import Parts
from services.reconciler.permission import hands_off
from services.reconciler.report import write
from services.reconciler.scope import instance_of
from services.reconciler.state import AppState
from services.reconciler.status import conditions
from shared.clock import now, parse_rfc3339, rfc3339
from shared.kinds.options import APPROVED, approved, delete_consent, sync_wave
from shared.kube import KubeError

FINALIZER = "resources-finalizer.argocd.argoproj.io"
PROPAGATION = {
    FINALIZER: "Foreground",
    f"{FINALIZER}/foreground": "Foreground",
    f"{FINALIZER}/background": "Background",
}
LOOK_AGAIN = 30.0


async def finalize(parts: Parts, state: AppState) -> None:
    """Do what is left to do before the Application may go."""
    names = [name for name in state.obj["metadata"].get("finalizers") or () if name in PROPAGATION]
    if not names:
        return
    if state.running and state.running.task:
        state.running.task.cancel()
    try:
        left = await delete_objects(parts, state, await destination_of(parts, state), PROPAGATION[names[0]])
    except InvalidSpec:
        left = False  # a cluster that is not configured (any more) holds nothing that we could delete: as in Argo CD
    except ApplicationError as error:
        await complain(parts, state, error)
        return
    if left:
        parts.queue.add_after(state.key, LOOK_AGAIN)
        return
    kept = [name for name in state.obj["metadata"].get("finalizers") or () if name not in PROPAGATION]
    announce(parts, state, "deleted")
    parts.recorder.record(state.obj, "ResourceDeleted", "Deleted all resources of the application", type_="Normal")
    version = state.obj["metadata"]["resourceVersion"]
    await write(parts, state, {"metadata": {"finalizers": kept or None, "resourceVersion": version}})


async def delete_objects(parts: Parts, state: AppState, destination: Destination, propagation: str) -> bool:
    """Delete the objects of the highest wave that still has any; tell whether something is left to wait for."""
    try:
        await destination.ensure(held_kinds(state))
        foreign = hands_off(parts, state, destination.server)
        tracked = owned_objects(destination, instance_of(state.key, parts.namespace), state.options)
        owned = [live for live in tracked if not foreign(live.key)]
        if not owned:
            return False
        check_confirmed(state, owned)
        waves = {live: sync_wave(live.load()) for live in owned}
        last = max(waves.values())
        for live in [live for live in owned if waves[live] == last and not live.deleting]:
            await destination.delete(live.key, uid=live.uid, propagation=propagation)
    except KubeError as error:
        raise DeletionFailed(f"could not delete the objects of the application: {error}", retriable=True) from error
    return True


def check_confirmed(state: AppState, owned: Iterable[Live]) -> None:
    """Raise DeletionFailed while a person has not confirmed the deletion of what asks for it (`Delete=confirm`)."""
    options = state.options
    waiting = [live.key for live in owned if delete_consent(live.load(), options) == "confirm"]
    since = parse_rfc3339(state.obj["metadata"]["deletionTimestamp"])
    if waiting and not approved(state.obj, since):
        more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        first = f"{waiting[0].kind}/{waiting[0].name}{more}"
        raise DeletionFailed(f"waiting for deletion confirmation of {first}: set the annotation {APPROVED}")


def owned_objects(destination: Destination, instance: str, options: Iterable[str]) -> list[Live]:
    """Give the objects that are to go with the Application."""
    found = [destination.live.get(key) for key in destination.live.tracked(instance)]
    return [live for live in found if live and not live.owned and delete_consent(live.load(), options) != "no"]


async def complain(parts: Parts, state: AppState, error: ApplicationError) -> None:
    """Say in the Application's conditions why it can't go yet, and try again."""
    status = state.obj.get("status") or {}
    before = status.get("conditions") or []
    after = conditions(before, [Condition("DeletionError", error.message)], rfc3339(now()))
    if after != before:
        parts.recorder.record(state.obj, "DeletionError", error.message, type_="Warning")
        await write(parts, state, {"status": {"conditions": after}})
    parts.queue.add_after(state.key, LOOK_AGAIN)
