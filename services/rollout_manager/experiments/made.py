"""The objects that an Experiment makes: ReplicaSets, Services and AnalysisRuns. Pure."""

import copy
from collections.abc import Mapping

from services.rollout_manager.analysis import InvalidAnalysis
from services.rollout_manager.analysis.arguments import fill_places
from services.rollout_manager.analysis.flatten import flattened, ref_of
from services.rollout_manager.analysis.nodata import written
from services.rollout_manager.analysis.request import spec
from services.rollout_manager.experiments.seen import Seen
from services.rollout_manager.keys import Obj
from services.rollout_manager.labels import HASH, INSTANCE_ID
from shared.kinds.analysis import Argument, TemplateRef
from shared.kinds.experiment import ExperimentAnalysis, ExperimentTemplate

NAME, TEMPLATE = "experiment.argoproj.io/name", "experiment.argoproj.io/template-name"


def owner(seen: Seen) -> Obj:
    metadata = seen.experiment.metadata
    named = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "name": metadata.name, "uid": metadata.uid}
    return {**named, "controller": True, "blockOwnerDeletion": True}


def name_of(seen: Seen, part: str) -> str:
    return f"{seen.experiment.metadata.name}-{part}"


def service_name(seen: Seen, template: ExperimentTemplate) -> str:
    """Empty: the template wants no Service."""
    if template.service is None:
        return ""
    return template.service.name or name_of(seen, template.name)


def replica_set(seen: Seen, template: ExperimentTemplate) -> Obj:
    hash_ = seen.hashes[template.name]
    body = copy.deepcopy(template.template)
    labels = {**((body.get("metadata") or {}).get("labels") or {}), HASH: hash_}
    body["metadata"] = {**(body.get("metadata") or {}), "labels": labels}
    selector = copy.deepcopy(template.selector or {})
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH: hash_}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": _metadata(seen, template, name_of(seen, template.name), labels),
        "spec": {
            "replicas": wanted(template),
            "selector": selector,
            "template": body,
            **({"minReadySeconds": template.min_ready_seconds} if template.min_ready_seconds else {}),
        },
    }


def wanted(template: ExperimentTemplate) -> int:
    return 1 if template.replicas is None else max(0, template.replicas)


def _metadata(seen: Seen, template: ExperimentTemplate, name: str, labels: Mapping[str, str]) -> Obj:
    return {
        "name": name,
        "namespace": seen.experiment.metadata.namespace,
        "labels": dict(labels),
        "annotations": {NAME: seen.experiment.metadata.name, TEMPLATE: template.name},
        "ownerReferences": [owner(seen)],
    }


def service(seen: Seen, template: ExperimentTemplate) -> Obj:
    """To every port that the template's containers name."""
    containers = (template.template.get("spec") or {}).get("containers") or ()
    ports = [
        {"port": port["containerPort"], "protocol": port.get("protocol") or "TCP", **_port_name(port)}
        for container in containers
        for port in container.get("ports") or ()
    ]
    made = replica_set(seen, template)
    metadata = _metadata(seen, template, service_name(seen, template), {HASH: seen.hashes[template.name]})
    selector = made["spec"]["selector"]["matchLabels"]
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": selector, "ports": ports}}


def _port_name(port: Obj) -> Obj:
    name = port.get("name") or f"{str(port.get('protocol') or 'tcp').lower()}-{port['containerPort']}"
    return {"name": name}


def run(seen: Seen, analysis: ExperimentAnalysis, name: str, places: Mapping[str, str]) -> Obj:
    """The AnalysisRun of one analysis. Raises InvalidAnalysis."""
    namespace = seen.experiment.metadata.namespace
    ref = ref_of(TemplateRef(template_name=analysis.template_name, cluster_scope=analysis.cluster_scope), namespace)
    flat = flattened([ref], seen.templates)
    flat.dry_run += seen.experiment.spec.dry_run
    flat.retention += seen.experiment.spec.measurement_retention
    given = [_given(arg, places) for arg in analysis.args]
    more = seen.experiment.spec.analysis_run_metadata
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {**(more.labels if more else {}), **_instance(seen)},
            "annotations": {
                **written(flat.no_data),
                **(more.annotations if more else {}),
                NAME: seen.experiment.metadata.name,
            },
            "ownerReferences": [owner(seen)],
        },
        "spec": spec(flat, given),
    }


def _instance(seen: Seen) -> dict[str, str]:
    """Whoever works on the Experiment works on its runs."""
    instance = seen.experiment.metadata.labels.get(INSTANCE_ID)
    return {INSTANCE_ID: instance} if instance else {}


def _given(arg: Argument, places: Mapping[str, str]) -> Argument:
    if arg.value is None:
        return arg
    filled, unknown = fill_places(arg.value, places)
    if unknown:
        raise InvalidAnalysis(*(f"args.{arg.name}: nothing is known of {one}" for one in unknown))
    return Argument(name=arg.name, value=filled)
