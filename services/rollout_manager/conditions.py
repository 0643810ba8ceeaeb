"""A Rollout's conditions, and its phase and message, in Argo Rollouts' words. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.rollout_manager import progress
from services.rollout_manager.analysis import Phase, RunType
from services.rollout_manager.draft import Draft, progressing_reason
from services.rollout_manager.keys import Obj
from services.rollout_manager.replicas import bounds
from services.rollout_manager.state import GATE_PAUSE, entries
from services.rollout_manager.weights import pointed
from shared.clock import rfc3339

PAUSED = "Rollout is paused"
NOT_AVAILABLE = "Rollout does not have minimum availability"


class Said(NamedTuple):
    """What a condition says."""

    type: str
    status: str
    reason: str
    message: str


def put(known: Sequence[Obj], said: Said, now: datetime, *, again: bool = False) -> list[Obj]:
    """Set a condition; one that says the same keeps its times, unless it says so `again`."""
    before = next((one for one in known if one.get("type") == said.type), None)
    if before is not None and not again and {**before, **said._asdict()} == before:
        return list(known)
    stays = before is not None and before.get("status") == said.status and before.get("lastTransitionTime")
    made: Obj = {
        "type": said.type,
        "status": said.status,
        "lastUpdateTime": rfc3339(now),
        "lastTransitionTime": before["lastTransitionTime"] if before is not None and stays else rfc3339(now),
        "reason": said.reason,
        "message": said.message,
    }
    return [*(one for one in known if one.get("type") != said.type), made]


def of(draft: Draft) -> list[Obj]:
    known = entries(draft.seen.obj, "status", "conditions")
    found = [one for one in known if one.get("type") not in {"InvalidSpec", "ReplicaFailure"}]
    now, waiting = draft.now, bool(unfinished(draft))
    healthy = not waiting and not paused(draft) and not draft.state.abort
    found = _healthy(found, now, healthy=healthy)
    found = _completed(draft, found)
    found = _gated(draft, _paused(draft, found))
    found = _available(draft, found)
    found = _progressing(draft, found, healthy=healthy)
    failure = next((one.failure for one in draft.seen.sets if one.failure), "")
    return put(found, Said("ReplicaFailure", "True", "FailedCreate", failure), now) if failure else found


def paused(draft: Draft) -> bool:
    return draft.seen.rollout.spec.paused or bool(draft.state.pauses)


def _healthy(found: list[Obj], now: datetime, *, healthy: bool) -> list[Obj]:
    if healthy:
        return put(found, Said("Healthy", "True", "RolloutHealthy", "Rollout is healthy"), now)
    return put(found, Said("Healthy", "False", "RolloutHealthy", "Rollout is not healthy"), now)


def _completed(draft: Draft, found: list[Obj]) -> list[Obj]:
    """Also whether the wanted template is the stable one; that an update begins is told once."""
    done = "True" if draft.promoted else "False"
    made = put(found, Said("Completed", done, "RolloutCompleted", "RolloutCompleted"), draft.now)
    if not draft.promoted and made != found:
        text = f"Rollout not completed, started update to revision {draft.revision} ({draft.seen.hash})"
        draft.say("RolloutNotCompleted", text)
    return made


def _paused(draft: Draft, found: list[Obj]) -> list[Obj]:
    """Once it was paused the condition stays and says whether it is."""
    if paused(draft):
        return put(found, Said("Paused", "True", "RolloutPaused", PAUSED), draft.now)
    if any(one.get("type") == "Paused" for one in found):
        return put(found, Said("Paused", "False", "RolloutPaused", PAUSED), draft.now)
    return found


def _gated(draft: Draft, found: list[Obj]) -> list[Obj]:
    """What its gates wait for, told from the first one on."""
    if draft.waits_for:
        return put(found, Said("Gated", "True", "WaitsForGates", "; ".join(draft.waits_for)), draft.now)
    if GATE_PAUSE not in draft.state.pauses and any(one.get("type") == "Gated" for one in found):
        return put(found, Said("Gated", "False", "NoGateWaits", ""), draft.now)
    return found


def _available(draft: Draft, found: list[Obj]) -> list[Obj]:
    replicas = draft.seen.replicas
    if draft.is_canary:
        limits = bounds(replicas, draft.canary.max_surge, draft.canary.max_unavailable)
        enough = sum(one.available for one in draft.seen.sets) >= replicas - limits.unavailable
    else:
        active = draft.seen.by_hash(pointed(draft, draft.blue_green.active_service))
        enough = active is not None and active.available >= replicas
    if enough:
        return put(found, Said("Available", "True", "AvailableReason", "Rollout has minimum availability"), draft.now)
    return put(found, Said("Available", "False", "AvailableReason", NOT_AVAILABLE), draft.now)


def _progressing(draft: Draft, found: list[Obj], *, healthy: bool) -> list[Obj]:
    if draft.aborted:
        return _aborted(draft, found)
    before = progressing_reason(draft.seen.obj)
    said = _turn(draft, before, healthy=healthy) or _pace(draft, before)
    if said is None:
        return found
    again = said.reason == "ReplicaSetUpdated"
    return put(found, said, draft.now, again=again)


def _said(status: str, reason: str, message: str) -> Said:
    return Said("Progressing", status, reason, message)


def _name(draft: Draft) -> str:
    return f"{draft.seen.rollout.metadata.name}-{draft.seen.hash}"


def _turn(draft: Draft, before: str, *, healthy: bool) -> Said | None:
    """What the update has come to, or what someone did to it."""
    if paused(draft):
        return _said("Unknown", "RolloutPaused", PAUSED)
    if healthy:
        return _said("True", "NewReplicaSetAvailable", f'ReplicaSet "{_name(draft)}" has successfully progressed.')
    if before == "RolloutPaused":
        return _said("Unknown", "RolloutResumed", "Rollout is resumed")
    if before == "RolloutAborted":
        return _said("Unknown", "RolloutRetry", "Retrying Rollout after abort")
    return None


def _pace(draft: Draft, before: str) -> Said | None:
    """Whether it moves."""
    if draft.create:
        return _said("True", "NewReplicaSetCreated", f'Created new replica set "{_name(draft)}"')
    if draft.promoted and before == "NewReplicaSetAvailable":
        return _said("True", "ReplicaSetNotAvailable", NOT_AVAILABLE)
    if progress.moved(draft) or not before or (before == "NewReplicaSetAvailable" and not draft.promoted):
        return _said("True", "ReplicaSetUpdated", f'ReplicaSet "{_name(draft)}" is progressing.')
    until = progress.due(draft)
    if until is not None and until <= draft.now:
        return _said("False", "ProgressDeadlineExceeded", progress.timed_out_text(draft))
    return None


def _aborted(draft: Draft, found: list[Obj]) -> list[Obj]:
    message = f"Rollout aborted update to revision {draft.revision}"
    message += f": {draft.state.abort_message}" if draft.state.abort_message else ""
    after = put(found, Said("Progressing", "False", "RolloutAborted", message), draft.now)
    if progressing_reason(draft.seen.obj) != "RolloutAborted":
        draft.say("RolloutAborted", message, warning=True, what="aborted")
    return after


def unfinished(draft: Draft) -> str:
    """What is still to come; empty: nothing."""
    counts, replicas = progress.counts(draft), draft.seen.replicas
    if draft.restarting:
        return "rollout is restarting"
    if counts["updatedReplicas"] < replicas:
        return "more replicas need to be updated"
    if counts["availableReplicas"] < counts["updatedReplicas"]:
        return "updated replicas are still becoming available"
    extra = counts["replicas"] > counts["updatedReplicas"]
    return _canary_unfinished(draft, extra=extra) if draft.is_canary else _blue_green_unfinished(draft)


def _canary_unfinished(draft: Draft, *, extra: bool) -> str:
    if extra and not draft.routes_traffic:
        return "old replicas are pending termination"
    return "" if draft.promoted else "waiting for all steps to complete"


def _blue_green_unfinished(draft: Draft) -> str:
    if pointed(draft, draft.blue_green.active_service) != draft.seen.hash:
        return "active service cutover pending"
    if draft.promoted:
        return ""
    run = draft.state.runs.get(RunType.POST_PROMOTION, {})
    asked = draft.blue_green.post_promotion_analysis is not None
    waits = asked and run.get("status") in {None, Phase.PENDING, Phase.RUNNING}
    return f"waiting for {'analysis' if waits else 'post-promotion verification'} to complete"


def phase(draft: Draft, conditions: Sequence[Obj]) -> tuple[str, str]:
    for one in conditions:
        if one.get("reason") in {"RolloutAborted", "ProgressDeadlineExceeded"}:
            return "Degraded", f"{one['reason']}: {one.get('message', '')}"
    if draft.seen.rollout.spec.paused:
        return "Paused", "manually paused"
    for reason in draft.state.pauses:
        return "Paused", f"{reason}: {'; '.join(draft.waits_for)}" if draft.waits_for else reason
    message = unfinished(draft)
    return ("Progressing", message) if message else ("Healthy", "")
