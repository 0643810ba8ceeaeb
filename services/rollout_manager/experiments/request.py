"""From an experiment step to the Experiment object that carries it. Pure."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.rollout_manager.analysis import InvalidAnalysis
from services.rollout_manager.analysis.request import resolved
from services.rollout_manager.experiments import InvalidExperiment
from services.rollout_manager.keys import Obj
from services.rollout_manager.labels import HASH
from services.rollout_manager.replicaset import hash_of, original_template
from shared.kinds.strategy import StepAnalysis, StepExperiment, StepTemplate


@dataclass(frozen=True)
class ExperimentRequest:
    """An Experiment that a Rollout wants: name without a collision's suffix, labels and annotations complete.

    `stable` and `canary` are the ReplicaSets whose templates `specRef` means.
    """

    name: str
    step: StepExperiment
    stable: Obj
    canary: Obj
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def build_experiment(rollout: Obj, request: ExperimentRequest) -> Obj:
    """The Experiment to create. Raises InvalidExperiment."""
    step, metadata = request.step, rollout["metadata"]
    try:
        analyses = [_analysis(one, rollout, request) for one in step.analyses]
    except InvalidAnalysis as error:
        raise InvalidExperiment(*error.problems) from error
    limit = (rollout.get("spec") or {}).get("progressDeadlineSeconds")
    spec: Obj = {
        "templates": [_template(one, rollout, request) for one in step.templates],
        "duration": step.duration,
        "progressDeadlineSeconds": limit,
        "analyses": analyses,
        "dryRun": [one.to_wire() for one in step.dry_run],
        "analysisRunMetadata": step.analysis_run_metadata.to_wire() if step.analysis_run_metadata else None,
    }
    named = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": metadata["name"], "uid": metadata["uid"]}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Experiment",
        "metadata": {
            "name": request.name,
            "namespace": metadata["namespace"],
            "labels": dict(request.labels),
            "annotations": dict(request.annotations),
            "ownerReferences": [{**named, "controller": True, "blockOwnerDeletion": True}],
        },
        "spec": {name: value for name, value in spec.items() if value},
    }


def _template(one: StepTemplate, rollout: Obj, request: ExperimentRequest) -> Obj:
    replica_sets = {"stable": request.stable, "canary": request.canary}
    if one.spec_ref not in replica_sets:
        raise InvalidExperiment(f"template {one.name}: specRef is stable or canary, not {one.spec_ref!r}")
    template = original_template(replica_sets[one.spec_ref])
    labels: dict[str, str] = {**((template.get("metadata") or {}).get("labels") or {})}
    annotations: dict[str, str] = {**((template.get("metadata") or {}).get("annotations") or {})}
    if one.metadata is not None:
        labels |= one.metadata.labels
        annotations |= one.metadata.annotations
    metadata = {"labels": labels, **({"annotations": annotations} if annotations else {})}
    weighted = one.weight is not None or one.service is not None
    return {
        "name": one.name,
        "replicas": 1 if one.replicas is None else one.replicas,
        "selector": copy.deepcopy(one.selector) if one.selector else _selector(rollout, labels),
        "template": {**template, "metadata": metadata},
        **({"service": one.service or {}} if weighted else {}),
        **_min_ready(rollout),
    }


def _selector(rollout: Obj, labels: Mapping[str, str]) -> Obj:
    """The Rollout's own, where the template's labels still fit it; else the labels themselves."""
    own = copy.deepcopy((rollout.get("spec") or {}).get("selector") or {})
    wanted = own.get("matchLabels") or {}
    fits = all(labels.get(name) == value for name, value in wanted.items())
    return own if wanted and fits else {"matchLabels": {name: value for name, value in labels.items() if name != HASH}}


def _min_ready(rollout: Obj) -> Obj:
    seconds = (rollout.get("spec") or {}).get("minReadySeconds")
    return {"minReadySeconds": seconds} if seconds else {}


def _analysis(one: StepAnalysis, rollout: Obj, request: ExperimentRequest) -> Obj:
    hashes = {"Stable": hash_of(request.stable), "Latest": hash_of(request.canary)}
    args = [resolved(arg, rollout, hashes).to_wire() for arg in one.args]
    flags: Obj = {"clusterScope": one.cluster_scope, "requiredForCompletion": one.required_for_completion, "args": args}
    return {
        "name": one.name,
        "templateName": one.template_name,
        **{name: value for name, value in flags.items() if value},
    }
