"""One Rollout's decision: what was seen in, what to do and the status out. Pure; never raises for what people wrote."""

from dataclasses import replace
from datetime import datetime

from services.rollout_manager import aborts, roles
from services.rollout_manager.actions import Decision
from services.rollout_manager.analysis import InvalidAnalysis
from services.rollout_manager.begin import annotate, begin, create_new, revise, tell_scaling
from services.rollout_manager.bluegreen import blue_green
from services.rollout_manager.canary import canary
from services.rollout_manager.checkpoint import checkpoint
from services.rollout_manager.draft import Draft
from services.rollout_manager.experiments import InvalidExperiment
from services.rollout_manager.keys import Obj
from services.rollout_manager.observed import Observed
from services.rollout_manager.state import mapping
from services.rollout_manager.status import build, invalid
from services.rollout_manager.traffic import Unroutable
from services.rollout_manager.validate import problems_of


def decide(seen: Observed) -> Decision:
    """Everything to do now. A Rollout that can't be carried out as it is written is left exactly as it is."""
    problems = (*problems_of(seen), *seen.problems)
    if problems:
        return refuse(seen.obj, problems, seen.now)
    draft = begin(seen)
    try:
        revise(draft)
        (canary if draft.is_canary else blue_green)(draft)
    except (Unroutable, InvalidAnalysis, InvalidExperiment) as error:
        return refuse(seen.obj, error.problems, seen.now)
    create_new(draft)
    roles.metadata(draft)
    roles.apart(draft)
    roles.restart(draft)
    roles.workload(draft)
    aborts.mark(draft)
    annotate(draft)
    tell_scaling(draft)
    return finish(draft)


def refuse(obj: Obj, problems: tuple[str, ...], now: datetime) -> Decision:
    """Say all that is wrong, do nothing."""
    status, says = invalid(obj, problems, now)
    return Decision(status, says=says)


def finish(draft: Draft) -> Decision:
    seen = draft.seen
    status = build(draft)
    services = {name: hash_ for name, hash_ in draft.select.items() if differs(seen, name, hash_)}
    for name, hash_ in services.items():
        text = f"Switched selector for service '{name}' from '{seen.services[name].hash}' to '{hash_}'"
        draft.say("SwitchService", text, what="service")
    again = min(((when - draft.now).total_seconds() for when in draft.wakes), default=None)
    annotations = seen.rollout.metadata.annotations
    decision = Decision(
        status=status,
        create=tuple(draft.create),
        changes=draft.changes(),
        delete=tuple(draft.delete),
        services=services,
        let_go=tuple(sorted(seen.claimed - seen.services.keys())),
        routed=draft.routed,
        start_runs=tuple(draft.start_runs),
        stop_runs=tuple(draft.stop_runs),
        delete_runs=tuple(draft.delete_runs),
        start_experiments=tuple(draft.start_experiments),
        stop_experiments=tuple(draft.stop_experiments),
        delete_experiments=tuple(draft.delete_experiments),
        pods=tuple(draft.pods),
        evict=tuple(draft.evict),
        workload=draft.workload,
        annotations={name: value for name, value in draft.annotations.items() if annotations.get(name) != value},
        replicas=1 if seen.rollout.spec.replicas is None else None,
        ask=tuple(draft.ask.values()),
        says=tuple(draft.says),
        again=again,
    )
    before = mapping(seen.obj, "status")
    ahead = writes(decision, before) and not lifts_deadline(draft)
    return replace(decision, first=checkpoint(before, status)) if ahead else decision


def lifts_deadline(draft: Draft) -> bool:
    """The status must tell of an abort that was taken back until the new ReplicaSet has lost the deadline which that
    gave it: without the one, the other means a way back that needs no asking.
    """
    return draft.retrying and draft.new is not None and bool(draft.new.deadline)


def writes(decision: Decision, before: Obj) -> bool:
    """Whether there is anything to do but to write the status."""
    weights = mapping(before, "canary").get("weights") != mapping(decision.status, "canary").get("weights")
    done, left = decision.status, decision
    return weights or decision != Decision(done, routed=left.routed, says=left.says, ask=left.ask, again=left.again)


def differs(seen: Observed, name: str, hash_: str) -> bool:
    service = seen.services.get(name)
    return service is not None and (service.hash, service.managed_by) != (hash_, seen.rollout.metadata.name)
