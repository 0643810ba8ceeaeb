"""Built-in actions: what each makes of an object, when it is offered, and that nothing but its own field changes."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from services.reconciler.builtin_actions import ACTIONS, BadParameters, Run, discover, perform
from shared.merge import merge_patch_between

Obj = dict[str, Any]
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
AUTOMATED = {"automated": {"enabled": True}}
FLUX = "reconcile.fluxcd.io/requestedAt"
TIME = "2026-11-25T10:00:00Z"
RUN = Run({"replicas": "5"}, NOW, "abcde")


def made(api: str, kind: str, spec: Obj | None = None, status: Obj | None = None) -> Obj:
    obj: Obj = {"apiVersion": api, "kind": kind, "metadata": {"name": "it", "namespace": "prod", "uid": "u-1"}}
    obj |= {"spec": spec} if spec is not None else {}
    return obj | ({"status": status} if status is not None else {})


def custom(group: str, kind: str, spec: Obj | None = None) -> Obj:
    return made(f"{group}/v1", kind, spec or {})


def rollout(spec: Obj | None = None, **status: Any) -> Obj:
    steps = {"strategy": {"canary": {"steps": [{"setWeight": 10}, {"pause": {}}]}}}
    hashes = {"currentPodHash": "new", "stableRS": "old"}
    return made("argoproj.io/v1alpha1", "Rollout", {**steps, **(spec or {})}, {**hashes, **status})


WEB = made("apps/v1", "Deployment", {"replicas": 2, "template": {"metadata": {"annotations": {"a": "b"}}}})
RESTARTED = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": TIME}}}}}
PAUSED = rollout({"paused": True}, pauseConditions=[{"reason": "CanaryPauseStep"}], currentStepIndex=1)
JOB = made("batch/v1", "Job", {}, {"active": 1, "conditions": [{"type": "Suspended", "status": "False"}]})
FAILURE = {
    "type": "FailureTarget",
    "status": "True",
    "reason": "ManuallyTerminated",
    "message": "Job was terminated explicitly",
    "lastTransitionTime": TIME,
}
PATCHES: list[tuple[str, Obj, Obj]] = [
    ("restart", WEB, RESTARTED),
    ("restart", made("apps/v1", "StatefulSet", {}), RESTARTED),
    ("restart", made("apps/v1", "DaemonSet", {}), RESTARTED),
    ("scale", WEB, {"spec": {"replicas": 5}}),
    ("pause", WEB, {"spec": {"paused": True}}),
    ("resume", made("apps/v1", "Deployment", {"paused": True}), {"spec": {"paused": None}}),
    ("restart", rollout(), {"spec": {"restartAt": TIME}}),
    ("pause", rollout(), {"spec": {"paused": True}}),
    ("resume", PAUSED, {"spec": {"paused": None}, "status": {"pauseConditions": None}}),
    ("abort", rollout(), {"status": {"abort": True}}),
    ("retry", rollout(abort=True), {"status": {"abort": None}}),
    ("promote-full", rollout(), {"status": {"promoteFull": True}}),
    ("skip-current-step", PAUSED, {"status": {"pauseConditions": None, "currentStepIndex": 2}}),
    ("suspend", made("batch/v1", "CronJob", {}), {"spec": {"suspend": True}}),
    ("resume", made("batch/v1", "CronJob", {"suspend": True}), {"spec": {"suspend": False}}),
    ("suspend", JOB, {"spec": {"suspend": True}}),
    ("terminate", JOB, {"status": {"conditions": [*JOB["status"]["conditions"], FAILURE]}}),
    ("terminate", made("argoproj.io/v1alpha1", "AnalysisRun", {}), {"spec": {"terminate": True}}),
    ("suspend", made("argoproj.io/v1alpha1", "Workflow", {}), {"spec": {"suspend": True}}),
    ("resume", made("argoproj.io/v1alpha1", "Workflow", {"suspend": True}), {"spec": {"suspend": None}}),
    ("stop", made("argoproj.io/v1alpha1", "Workflow", {}), {"spec": {"shutdown": "Stop"}}),
    ("toggle-auto-sync", custom("argoproj.io", "Application"), {"spec": {"syncPolicy": AUTOMATED}}),
    ("refresh", custom("external-secrets.io", "ExternalSecret"), {"metadata": {"annotations": {"force-sync": TIME}}}),
    ("reconcile", custom("source.toolkit.fluxcd.io", "GitRepository"), {"metadata": {"annotations": {FLUX: TIME}}}),
    ("pause", custom("numaflow.numaproj.io", "Pipeline"), {"spec": {"lifecycle": {"desiredPhase": "Paused"}}}),
]


@pytest.mark.parametrize(("name", "obj", "patch"), PATCHES, ids=lambda value: value if isinstance(value, str) else "")
def test_an_action_changes_its_field_and_nothing_else(name: str, obj: Obj, patch: Obj) -> None:
    before = deepcopy(obj)
    (change,) = perform(name, obj, RUN)
    assert change.operation == "patch"
    assert merge_patch_between(obj, change.resource) == patch
    assert obj == before


def offered(obj: Obj) -> set[str]:
    return {one.name for one in discover(obj) if not one.disabled}


@pytest.mark.parametrize(
    ("obj", "names"),
    [
        (WEB, {"restart", "pause", "scale"}),
        (made("apps/v1", "Deployment", {"paused": True}), {"restart", "resume", "scale"}),
        (rollout(), {"restart", "pause", "abort", "promote-full", "skip-current-step", "scale"}),
        (rollout(currentStepIndex=2), {"restart", "pause", "abort", "promote-full", "scale"}),
        (PAUSED, {"restart", "resume", "abort", "promote-full", "scale"} | {"skip-current-step"}),
        (rollout(abort=True), {"restart", "pause", "retry", "scale"}),
        (rollout(stableRS="new"), {"restart", "pause", "scale"}),
        (JOB, {"suspend", "terminate"}),
        (made("batch/v1", "Job", {}, {"conditions": [{"type": "Complete", "status": "True"}]}), set()),
        (made("batch/v1", "CronJob", {"suspend": True}), {"create-job", "resume"}),
        (made("argoproj.io/v1alpha1", "Workflow", {}, {"phase": "Failed"}), set()),
        (made("v1", "ConfigMap"), set()),
    ],
)
def test_only_what_makes_sense_is_offered(obj: Obj, names: set[str]) -> None:
    assert offered(obj) == names


def test_what_makes_no_sense_now_is_shown_as_disabled() -> None:
    found = {one.name: one.disabled for one in discover(WEB)}
    assert found["resume"] is True
    (parameter,) = next(one for one in discover(WEB) if one.name == "scale").parameters
    assert (parameter.name, parameter.default) == ("replicas", "2")


@pytest.mark.parametrize("text", ["", "-1", "1.5", "many", "٣", "1" * 12])
def test_scale_wants_a_whole_number(text: str) -> None:
    with pytest.raises(BadParameters, match="replicas"):
        perform("scale", WEB, Run({"replicas": text}, NOW, "x"))


def test_a_job_is_made_of_a_cron_job_as_kubectl_does() -> None:
    template = {"metadata": {"labels": {"l": "1"}, "annotations": {"a": "1"}}, "spec": {"backoffLimit": 2}}
    (change,) = perform("create-job", made("batch/v1", "CronJob", {"jobTemplate": template}), RUN)
    assert change.operation == "create"
    assert change.resource == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "it-abcde",
            "namespace": "prod",
            "labels": {"l": "1"},
            "annotations": {"a": "1", "cronjob.kubernetes.io/instantiate": "manual"},
            "ownerReferences": [
                {"apiVersion": "batch/v1", "kind": "CronJob", "name": "it", "uid": "u-1", "controller": True}
            ],
        },
        "spec": {"backoffLimit": 2},
    }


@pytest.mark.parametrize("kind", ["CronWorkflow", "WorkflowTemplate"])
def test_a_workflow_is_made_of_what_describes_it(kind: str) -> None:
    source = made("argoproj.io/v1alpha1", kind, {"workflowSpec": {"entrypoint": "main"}})
    (change,) = perform("create-workflow", source, RUN)
    wanted = {"workflowTemplateRef": {"name": "it"}} if kind == "WorkflowTemplate" else {"entrypoint": "main"}
    assert (change.operation, change.resource["kind"], change.resource["spec"]) == ("create", "Workflow", wanted)
    assert change.resource["metadata"]["name"] == "it-abcde"
    assert "it" in change.resource["metadata"]["labels"].values()


def test_long_names_are_cut_so_that_labels_can_hold_them() -> None:
    cron = made("batch/v1", "CronJob", {})
    cron["metadata"]["name"] = "n" * 63
    (change,) = perform("create-job", cron, RUN)
    assert change.resource["metadata"]["name"] == "n" * 57 + "-abcde"


def test_every_kind_s_actions_do_without_spec_and_status() -> None:
    for (group, kind), actions in ACTIONS.items():
        bare = made(f"{group}/v1", kind)
        assert {one.name for one in discover(bare)} <= actions.keys()
        for name in actions:
            assert perform(name, bare, RUN)
