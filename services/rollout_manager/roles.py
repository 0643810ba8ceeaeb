"""What else follows from a ReplicaSet's role and from the Rollout's other wishes: metadata of pods, a restart, the pods
of the workload that a Rollout takes over from. Pure.
"""

from services.rollout_manager.actions import PodMetadata
from services.rollout_manager.draft import Draft
from services.rollout_manager.labels import WORKLOAD_GENERATION
from services.rollout_manager.replicas import share
from services.rollout_manager.replicaset import apart_patch, remembered, role_metadata
from services.rollout_manager.state import moment
from shared.clock import rfc3339

RETRY = 5.0  # nobody tells when a disruption budget allows it


def metadata(draft: Draft) -> None:
    """Give pods the labels and annotations of their role, and take those of the last one away."""
    for one in draft.seen.sets:
        if one.desired == 0 and one.hash not in {draft.seen.hash, draft.state.stable}:
            continue
        role = "stable" if one.hash == draft.state.stable or draft.alone else "new"
        plays = one.hash in {draft.seen.hash, draft.state.stable}
        before, after = remembered(one.annotations), role_metadata(draft, role) if plays else {}
        after = {name: values for name, values in after.items() if values}
        if before != after:
            draft.pods.append(PodMetadata(one, before, after))


def apart(draft: Draft) -> None:
    """Keep the pods of a version that comes back away from those of the stable one, before they are made."""
    if draft.new is not None and not draft.alone and (patch := apart_patch(draft, draft.new)):
        draft.pod_patches[draft.new.name] = patch


def restart(draft: Draft) -> None:
    """Evict pods that are older than `restartAt`, as many at a time as may be missing."""
    at = moment(draft.seen.rollout.spec.restart_at or "")
    known = moment(draft.state.restarted_at)
    if at is None or (known is not None and known >= at):
        return
    if at > draft.now:
        draft.wake(at)
        return
    old = [pod for pod in draft.seen.pods if (moment(pod.created) or draft.now) < at]
    if not old:
        draft.state.restarted_at = rfc3339(at)
        return
    draft.restarting = True
    draft.evict += [pod.name for pod in old if not pod.deleting][: max(0, may_be_missing(draft))]
    draft.wake_in(RETRY)


def may_be_missing(draft: Draft) -> int:
    strategy = draft.seen.rollout.spec.strategy
    given = strategy.canary or strategy.blue_green
    allowed = share(
        given.max_unavailable if given and given.max_unavailable is not None else "25%", draft.seen.replicas, up=False
    )
    missing = sum(max(0, one.desired - one.available) for one in draft.seen.sets)
    serving = sum(pod.ready and not pod.deleting for pod in draft.seen.pods)
    gone = sum(one.desired for one in draft.seen.sets) - serving  # a status may not have heard of evictions yet
    return max(1, allowed) - max(missing, gone)


def workload(draft: Draft) -> None:
    """Take the referred workload's pods away as the Rollout's own come, while it is the first revision."""
    seen = draft.seen
    if seen.workload is None or seen.rollout.spec.workload_ref is None:
        return
    draft.annotations[WORKLOAD_GENERATION] = str(seen.workload.generation)
    how = seen.rollout.spec.workload_ref.scale_down
    if draft.revision != 1 or not seen.workload.replicas or seen.workload.ref.kind != "Deployment":
        return
    available = draft.new.available if draft.new else 0
    left = {"onsuccess": 0 if draft.promoted else seen.workload.replicas}.get(how, seen.workload.replicas)
    if how == "progressively":
        left = min(seen.workload.replicas, max(0, seen.replicas - available))
    if left != seen.workload.replicas:
        draft.workload = (seen.workload.ref, left)
