"""`status` of an Experiment, as Argo Rollouts writes it. Pure."""

from services.rollout_manager.analysis.decide import lean
from services.rollout_manager.experiments import made
from services.rollout_manager.experiments.seen import Seen
from services.rollout_manager.keys import Obj
from shared.clock import rfc3339
from shared.kinds.experiment import ExperimentStatus, ExperimentTemplate, TemplateStatus

PROGRESSING, RUNNING, DONE, FAILED = "Progressing", "Running", "Successful", "Failed"


def template_statuses(seen: Seen, status: ExperimentStatus) -> tuple[TemplateStatus, ...]:
    before = {one.name: one for one in status.template_statuses}
    return tuple(_template(seen, one, before.get(one.name)) for one in seen.experiment.spec.templates)


def _template(seen: Seen, template: ExperimentTemplate, before: TemplateStatus | None) -> TemplateStatus:
    one = seen.sets.get(template.name)
    now = TemplateStatus(
        name=template.name,
        replicas=one.replicas if one else 0,
        updated_replicas=one.replicas if one else 0,
        ready_replicas=one.ready if one else 0,
        available_replicas=one.available if one else 0,
        status=RUNNING if one and one.available >= made.wanted(template) else PROGRESSING,
        service_name=made.service_name(seen, template) if template.name in seen.services else "",
        pod_template_hash=seen.hashes.get(template.name, ""),
    )
    moved = before is None or (before.available_replicas, before.status) != (now.available_replicas, now.status)
    since = before.last_transition_time if before and not moved else rfc3339(seen.now)
    return now.model_copy(update={"last_transition_time": since or rfc3339(seen.now)})


def failed(templates: tuple[TemplateStatus, ...], name: str, why: str) -> tuple[TemplateStatus, ...]:
    ill = {"status": FAILED, "message": why}
    return tuple(one.model_copy(update=ill) if one.name == name else one for one in templates)


def closed(templates: tuple[TemplateStatus, ...]) -> tuple[TemplateStatus, ...]:
    """When it is over: what did not fail has done what it should."""
    return tuple(one if one.status == FAILED else one.model_copy(update={"status": DONE}) for one in templates)


def shown(status: ExperimentStatus, templates: tuple[TemplateStatus, ...], available: str = "") -> ExperimentStatus:
    at = available or status.available_at
    return status.model_copy(update={"template_statuses": templates, "available_at": at})


def stamped(seen: Seen, status: ExperimentStatus) -> Obj:
    """With the condition that `kubectl describe` shows."""
    message = status.message or f"Experiment is {status.phase}"
    bad = status.phase in {"Failed", "Error", "Inconclusive"}
    condition = {
        "type": "Progressing",
        "status": "False" if bad else "True",
        "reason": f"Experiment{status.phase}",
        "message": message,
    }
    before = next((one for one in status.conditions if one.get("type") == "Progressing"), {})
    same = all(before.get(name) == value for name, value in condition.items())
    moment = rfc3339(seen.now)
    turned = before.get("lastTransitionTime") if before.get("status") == condition["status"] else moment
    times = {"lastUpdateTime": before.get("lastUpdateTime") if same else moment, "lastTransitionTime": turned or moment}
    others = [one for one in status.conditions if one.get("type") != "Progressing"]
    found: Obj = lean(status.model_copy(update={"conditions": (*others, {**condition, **times})}).to_wire())
    return found
