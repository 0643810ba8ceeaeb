"""The actions that kinds have without any script, under the names that Argo CD gives them. Pure.

In: a live object, parameters, and what is particular to this one run (`Run`: the time, a suffix for names). Out: the
object as it should be, or an object to create. Whether anybody may do it, and doing it, is the caller's business.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from shared.clock import rfc3339
from shared.events import ActionParameter, ResourceAction
from shared.kinds.refs import GroupKind

Obj = dict[str, Any]
RESTARTED = "kubectl.kubernetes.io/restartedAt"
FORCE_SYNC = "force-sync"
FLUX_REQUEST = "reconcile.fluxcd.io/requestedAt"
LONGEST_NAME = 63
ENDED = {"Complete", "Failed", "FailureTarget", "SuccessCriteriaMet"}


class BadParameters(ValueError):
    """A parameter is missing or can't be read; the message says how it must be."""


class Run(NamedTuple):
    """One run of an action: `suffix` makes the name of what it creates, the same whenever it is asked for again."""

    parameters: Mapping[str, str]
    now: datetime
    suffix: str


class Change(NamedTuple):
    """What an action brings: an object to create, or the given one as it should be."""

    operation: Literal["create", "patch"]
    resource: Obj


Does = Callable[[Obj, Run], Change]
Holds = Callable[[Obj], bool]


class Action(NamedTuple):
    """`offered`: it makes sense for the object as it is. `shown` False: not even listed otherwise."""

    does: Does
    offered: Holds = lambda _obj: True
    shown: bool = True
    parameters: Callable[[Obj], tuple[ActionParameter, ...]] = lambda _obj: ()


def discover(obj: Obj) -> tuple[ResourceAction, ...]:
    """Give the actions of an object as it is now."""
    known = ACTIONS.get(GroupKind.of(obj), {})
    return tuple(
        ResourceAction(name=name, disabled=not offered, parameters=action.parameters(obj))
        for name, action in known.items()
        if (offered := action.offered(obj)) or action.shown
    )


def perform(name: str, obj: Obj, run: Run) -> list[Change]:
    """Do an action. Raises KeyError for one that the kind does not have, BadParameters."""
    return [ACTIONS[GroupKind.of(obj)][name].does(obj, run)]


def at(obj: Mapping[str, Any], *path: str) -> Any:
    value: Any = obj
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def put(obj: Obj, path: tuple[str, ...], value: Any) -> Obj:
    """Give the object with a value at a path; None takes it away."""
    name, rest = path[0], path[1:]
    if not rest:
        kept = {key: item for key, item in obj.items() if key != name}
        return kept if value is None else {**kept, name: value}
    inner = obj.get(name)
    return {**obj, name: put(inner if isinstance(inner, dict) else {}, rest, value)}


def setting(value: Any, *path: str) -> Does:
    """An action that sets one field."""
    return lambda obj, _run: Change("patch", put(obj, path, value))


def stamping(*path: str) -> Does:
    """An action that writes the time into one field."""
    return lambda obj, run: Change("patch", put(obj, path, rfc3339(run.now)))


def true(*path: str) -> Holds:
    return lambda obj: at(obj, *path) is True


def untrue(*path: str) -> Holds:
    return lambda obj: at(obj, *path) is not True


def scale(obj: Obj, run: Run) -> Change:
    text = run.parameters.get("replicas", "")
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise BadParameters(f"scale needs the parameter replicas, a whole number of 0 or more, not {text!r}")
    return Change("patch", put(obj, ("spec", "replicas"), int(text)))


def _replicas(obj: Obj) -> tuple[ActionParameter, ...]:
    return (ActionParameter(name="replicas", default=str(at(obj, "spec", "replicas") or 0)),)


SCALE = Action(scale, parameters=_replicas)
RESTART = Action(stamping("spec", "template", "metadata", "annotations", RESTARTED))
DEPLOYMENT = {
    "restart": RESTART,
    "pause": Action(setting(True, "spec", "paused"), untrue("spec", "paused")),
    "resume": Action(setting(None, "spec", "paused"), true("spec", "paused")),
    "scale": SCALE,
}


def _steps(rollout: Obj) -> list[Any]:
    return list(at(rollout, "spec", "strategy", "canary", "steps") or ())


def _step(rollout: Obj) -> int:
    return int(at(rollout, "status", "currentStepIndex") or 0)


def _on_its_way(rollout: Obj) -> bool:
    """A new version is being rolled out, and was not given up."""
    status = rollout.get("status") or {}
    current, stable = status.get("currentPodHash"), status.get("stableRS")
    return bool(current and stable and current != stable) and status.get("abort") is not True


def _halted(rollout: Obj) -> bool:
    paused = at(rollout, "spec", "paused") is True or bool(at(rollout, "status", "pauseConditions"))
    return paused and at(rollout, "status", "abort") is not True


def resume_rollout(rollout: Obj, _run: Run) -> Change:
    """Go on after a pause of the spec, or of the step that waits."""
    resumed = put(rollout, ("status", "pauseConditions"), None) if at(rollout, "status", "pauseConditions") else rollout
    return Change("patch", put(resumed, ("spec", "paused"), None))


def abort_rollout(rollout: Obj, _run: Run) -> Change:
    return Change("patch", put(rollout, ("status", "abort"), value=True))


def retry_rollout(rollout: Obj, _run: Run) -> Change:
    return Change("patch", put(rollout, ("status", "abort"), None))


def promote_fully(rollout: Obj, _run: Run) -> Change:
    return Change("patch", put(put(rollout, ("status", "abort"), None), ("status", "promoteFull"), value=True))


def skip_step(rollout: Obj, _run: Run) -> Change:
    going = put(rollout, ("status", "pauseConditions"), None)
    return Change("patch", put(going, ("status", "currentStepIndex"), min(_step(rollout) + 1, len(_steps(rollout)))))


ROLLOUT = {
    "restart": Action(stamping("spec", "restartAt")),
    "pause": Action(setting(True, "spec", "paused"), lambda obj: not _halted(obj)),
    "resume": Action(resume_rollout, _halted),
    "abort": Action(abort_rollout, _on_its_way),
    "retry": Action(retry_rollout, true("status", "abort")),
    "promote-full": Action(promote_fully, _on_its_way),
    "skip-current-step": Action(skip_step, lambda obj: _on_its_way(obj) and _step(obj) < len(_steps(obj))),
    "scale": SCALE,
}


def named(obj: Obj, run: Run) -> str:
    """Name what an object brings forth, within what labels can hold."""
    return f"{str(obj['metadata']['name'])[: LONGEST_NAME - len(run.suffix) - 1]}-{run.suffix}"


def owned_by(obj: Obj) -> Obj:
    metadata = obj["metadata"]
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": metadata["name"], "uid": metadata["uid"]}


def create_job(cron: Obj, run: Run) -> Change:
    """Run a CronJob once, now."""
    template = at(cron, "spec", "jobTemplate") or {}
    given = template.get("metadata") or {}
    annotations = {**(given.get("annotations") or {}), "cronjob.kubernetes.io/instantiate": "manual"}
    metadata = {"name": named(cron, run), "namespace": cron["metadata"]["namespace"], "annotations": annotations}
    metadata |= {"labels": given["labels"]} if given.get("labels") else {}
    metadata["ownerReferences"] = [{**owned_by(cron), "controller": True}]
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template.get("spec") or {}}
    return Change("create", job)


def _workflow(source: Obj, run: Run, metadata: Obj, spec: Obj) -> Change:
    place = {"name": named(source, run), "namespace": source["metadata"]["namespace"]}
    whole = {**metadata, **place, "ownerReferences": [owned_by(source)]}
    return Change("create", {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": whole, "spec": spec})


def create_scheduled(cron: Obj, run: Run) -> Change:
    """Run a CronWorkflow once, now."""
    given = at(cron, "spec", "workflowMetadata") or {}
    labels = {**(given.get("labels") or {}), "workflows.argoproj.io/cron-workflow": cron["metadata"]["name"]}
    instance = at(cron, "metadata", "labels", "workflows.argoproj.io/controller-instanceid")
    labels |= {"workflows.argoproj.io/controller-instanceid": instance} if instance else {}
    annotations = {**(given.get("annotations") or {}), "workflows.argoproj.io/scheduled-time": rfc3339(run.now)}
    finalizers = {"finalizers": given["finalizers"]} if given.get("finalizers") else {}
    metadata = {"labels": labels, "annotations": annotations, **finalizers}
    return _workflow(cron, run, metadata, at(cron, "spec", "workflowSpec") or {})


def create_from_template(template: Obj, run: Run) -> Change:
    name = template["metadata"]["name"]
    metadata = {"labels": {"workflows.argoproj.io/workflow-template": name}}
    return _workflow(template, run, metadata, {"workflowTemplateRef": {"name": name}})


def _running(job: Obj) -> bool:
    held = {one.get("type") for one in at(job, "status", "conditions") or () if one.get("status") == "True"}
    return not held & ENDED


def terminate_job(job: Obj, run: Run) -> Change:
    """Make a Job fail: its controller ends the pods."""
    condition = {"type": "FailureTarget", "status": "True", "reason": "ManuallyTerminated"}
    condition |= {"message": "Job was terminated explicitly", "lastTransitionTime": rfc3339(run.now)}
    return Change("patch", put(job, ("status", "conditions"), [*(at(job, "status", "conditions") or ()), condition]))


JOB = {
    "suspend": Action(
        setting(True, "spec", "suspend"), lambda job: _running(job) and at(job, "spec", "suspend") is not True, False
    ),
    "resume": Action(
        setting(False, "spec", "suspend"), lambda job: _running(job) and at(job, "spec", "suspend") is True, False
    ),
    "terminate": Action(terminate_job, lambda job: _running(job) and "status" in job, False),
}


def suspension(field: str = "suspend") -> dict[str, Action]:
    """The pair of actions of kinds that only have a switch."""
    return {
        "suspend": Action(setting(True, "spec", field), untrue("spec", field), False),
        "resume": Action(setting(False, "spec", field), true("spec", field), False),
    }


def _unfinished(workflow: Obj) -> bool:
    return at(workflow, "status", "phase") not in {"Succeeded", "Failed", "Error"}


WORKFLOW = {
    "suspend": Action(
        setting(True, "spec", "suspend"), lambda obj: _unfinished(obj) and at(obj, "spec", "suspend") is not True, False
    ),
    "resume": Action(setting(None, "spec", "suspend"), true("spec", "suspend"), False),
    "stop": Action(setting("Stop", "spec", "shutdown"), _unfinished),
    "terminate": Action(setting("Terminate", "spec", "shutdown"), _unfinished),
}


def toggle_auto_sync(app: Obj, _run: Run) -> Change:
    automated = at(app, "spec", "syncPolicy", "automated")
    on = automated is not None and automated.get("enabled") is not False
    return Change("patch", put(app, ("spec", "syncPolicy", "automated", "enabled"), not on))


def _numaflow() -> dict[str, Action]:
    phase = ("spec", "lifecycle", "desiredPhase")
    return {
        "pause": Action(setting("Paused", *phase), lambda obj: at(obj, *phase) != "Paused"),
        "unpause": Action(setting("Running", *phase), lambda obj: at(obj, *phase) == "Paused"),
    }


RECONCILE = {"reconcile": Action(stamping("metadata", "annotations", FLUX_REQUEST))}
FLUX: Mapping[str, Iterable[str]] = {
    "helm.toolkit.fluxcd.io": ("HelmRelease",),
    "image.toolkit.fluxcd.io": ("ImageRepository", "ImageUpdateAutomation"),
    "kustomize.toolkit.fluxcd.io": ("Kustomization",),
    "notification.toolkit.fluxcd.io": ("Receiver",),
    "source.toolkit.fluxcd.io": ("Bucket", "GitRepository", "HelmChart", "HelmRepository", "OCIRepository"),
}
ARGO, SECRETS = "argoproj.io", "external-secrets.io"
CREATE_JOB = {"create-job": Action(create_job)}
ACTIONS: dict[GroupKind, dict[str, Action]] = {
    GroupKind("apps", "Deployment"): DEPLOYMENT,
    GroupKind("apps", "StatefulSet"): {"restart": RESTART, "scale": SCALE},
    GroupKind("apps", "DaemonSet"): {"restart": RESTART},
    GroupKind("batch", "CronJob"): CREATE_JOB | suspension(),
    GroupKind("batch", "Job"): JOB,
    GroupKind(ARGO, "Rollout"): ROLLOUT,
    GroupKind(ARGO, "AnalysisRun"): {
        "terminate": Action(setting(True, "spec", "terminate"), untrue("spec", "terminate"))
    },
    GroupKind(ARGO, "Workflow"): WORKFLOW,
    GroupKind(ARGO, "CronWorkflow"): {"create-workflow": Action(create_scheduled)} | suspension(),
    GroupKind(ARGO, "WorkflowTemplate"): {"create-workflow": Action(create_from_template)},
    GroupKind(ARGO, "Application"): {"toggle-auto-sync": Action(toggle_auto_sync)},
    GroupKind(SECRETS, "ExternalSecret"): {"refresh": Action(stamping("metadata", "annotations", FORCE_SYNC))},
    GroupKind(SECRETS, "PushSecret"): {"push": Action(stamping("metadata", "annotations", FORCE_SYNC))},
    GroupKind("numaflow.numaproj.io", "MonoVertex"): _numaflow(),
    GroupKind("numaflow.numaproj.io", "Pipeline"): _numaflow(),
    **{GroupKind(group, kind): RECONCILE | suspension() for group, kinds in FLUX.items() for kind in kinds},
    **{GroupKind("notification.toolkit.fluxcd.io", kind): suspension() for kind in ("Alert", "Provider")},
}
