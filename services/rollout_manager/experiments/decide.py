"""What to do about one Experiment: its ReplicaSets, Services and AnalysisRuns, its status, when to come back. Pure.

The clock starts when every template is available. It ends with its duration, or without one when every analysis that is
required for completion is done; earlier when a template can't progress, an analysis ends badly, or someone says so.
What has ended is scaled down after a delay, its Services go at once.
"""

from datetime import datetime, timedelta

from services.rollout_manager.analysis import Phase
from services.rollout_manager.analysis.verdict import BAD, worst
from services.rollout_manager.experiments import made
from services.rollout_manager.experiments.analyses import analyse
from services.rollout_manager.experiments.seen import Decision, Seen
from services.rollout_manager.experiments.status import closed, failed, shown, stamped, template_statuses
from shared.clock import parse_rfc3339, rfc3339
from shared.kinds.durations import seconds
from shared.kinds.experiment import ExperimentStatus, TemplateStatus

DEADLINE, DELAY = 600, 30


def decide(seen: Seen) -> Decision:
    status = seen.experiment.status or ExperimentStatus()
    decision = Decision()
    if seen.over:
        wind_down(seen, decision)
        return decision
    if seen.problems:
        return ended(seen, decision, status, Phase.ERROR, "; ".join(seen.problems))
    build(seen, decision)
    templates = template_statuses(seen, status)
    late = overdue(seen, decision, templates)
    if late:
        return ended(seen, decision, shown(status, failed(templates, *late)), Phase.FAILED, late[1])
    if seen.experiment.spec.terminate:
        return ended(seen, decision, shown(status, templates), Phase.SUCCESSFUL, "experiment terminated")
    available = status.available_at or _available(seen, templates)
    if not available:
        return going(seen, decision, shown(status, templates), Phase.PENDING)
    return judged(seen, decision, shown(status, templates, available), available)


def refused(seen: Seen, message: str) -> Decision:
    """The API server won't have what the Experiment needs: it ends, and the next pass winds it down."""
    status = seen.experiment.status or ExperimentStatus()
    shown_ = shown(status, template_statuses(seen, status)).model_copy(update={"phase": Phase.ERROR.value})
    return Decision(stamped(seen, shown_.model_copy(update={"message": message})))


def build(seen: Seen, decision: Decision) -> None:
    """Make what is missing, and give every ReplicaSet the pods it should have."""
    for template in seen.experiment.spec.templates:
        one = seen.sets.get(template.name)
        if one is None:
            decision.create.append(made.replica_set(seen, template))
        elif one.desired != made.wanted(template):
            decision.scale[one.name] = made.wanted(template)
        if one is not None and one.deadline:  # it was over, and is begun again
            decision.deadlines[one.name] = None
        if template.service is not None and template.name not in seen.services:
            decision.create.append(made.service(seen, template))


def _available(seen: Seen, templates: tuple[TemplateStatus, ...]) -> str:
    """When everything is available; empty: not yet."""
    wanted = {one.name: made.wanted(one) for one in seen.experiment.spec.templates}
    everything = all(one.available_replicas >= wanted[one.name] for one in templates)
    return rfc3339(seen.now) if everything else ""


def overdue(seen: Seen, decision: Decision, templates: tuple[TemplateStatus, ...]) -> tuple[str, str] | None:
    """Which template makes no progress for too long, in words too; else come back when that could be so."""
    limit = seen.experiment.spec.progress_deadline_seconds or DEADLINE
    wanted = {one.name: made.wanted(one) for one in seen.experiment.spec.templates}
    for one in templates:
        if one.available_replicas >= wanted[one.name] or not one.last_transition_time:
            continue
        left = limit - (seen.now - parse_rfc3339(one.last_transition_time)).total_seconds()
        if left <= 0:
            return one.name, f"Template '{one.name}' exceeded its progressDeadlineSeconds ({limit})"
        decision.due(left)
    return None


def judged(seen: Seen, decision: Decision, status: ExperimentStatus, available: str) -> Decision:
    """It runs: its analyses, and its end."""
    runs, problems = analyse(seen, decision, available)
    status = status.model_copy(update={"analysis_runs": runs})
    if problems:
        return ended(seen, decision, status, Phase.ERROR, "; ".join(problems))
    phases = {one.name: Phase(one.phase) for one in runs}
    bad = worst(phase for phase in phases.values() if phase in BAD)
    if bad in BAD:
        which = next(one for one in runs if phases[one.name] is bad)
        return ended(
            seen, decision, status, bad, f"AnalysisRun {which.analysis_run} {bad}: {which.message}".rstrip(": ")
        )
    if _is_over(seen, decision, available, phases):
        return ended(seen, decision, status, Phase.SUCCESSFUL, "")
    return going(seen, decision, status, Phase.RUNNING)


def _is_over(seen: Seen, decision: Decision, available: str, phases: dict[str, Phase]) -> bool:
    spec = seen.experiment.spec
    required = [phases.get(one.name, Phase.PENDING) for one in spec.analyses if one.required_for_completion]
    waits = any(not phase.completed for phase in required)
    if not spec.duration:
        return bool(required) and not waits
    left = seconds(spec.duration) - (seen.now - parse_rfc3339(available)).total_seconds()
    if left > 0:
        decision.due(left)
    return left <= 0 and not waits


def going(seen: Seen, decision: Decision, status: ExperimentStatus, phase: Phase) -> Decision:
    decision.status = stamped(seen, status.model_copy(update={"phase": phase.value, "message": ""}))
    return decision


def ended(seen: Seen, decision: Decision, status: ExperimentStatus, phase: Phase, message: str) -> Decision:
    """End it in this very pass."""
    decision.create.clear()
    decision.scale.clear()
    decision.deadlines.clear()
    status = status.model_copy(
        update={"phase": phase.value, "message": message, "template_statuses": closed(status.template_statuses)}
    )
    decision.again = None
    wind_down(seen, decision)
    decision.status = stamped(seen, status)
    return decision


def wind_down(seen: Seen, decision: Decision) -> None:
    """Nothing measures any more, no traffic comes, and the pods go when their time is over."""
    decision.status = seen.obj.get("status") or {}
    running = (name for name, run in seen.runs.items() if not run.phase.completed and not run.terminate)
    decision.stop_runs += sorted(running)
    decision.delete_services += sorted(obj["metadata"]["name"] for obj in seen.services.values())
    given = seen.experiment.spec.scale_down_delay_seconds
    delay = timedelta(seconds=DELAY if given is None else max(0, given))
    for one in seen.sets.values():
        if one.desired == 0:
            continue
        at = _deadline(one.deadline) or (seen.now + delay)
        if not one.deadline and delay:
            decision.deadlines[one.name] = rfc3339(at)
        left = (at - seen.now).total_seconds()
        if left <= 0:
            decision.scale[one.name] = 0
        else:
            decision.due(left)


def _deadline(text: str) -> datetime | None:
    """Anybody may have written it; what is no time counts as none."""
    try:
        return parse_rfc3339(text) if text else None
    except ValueError:
        return None
