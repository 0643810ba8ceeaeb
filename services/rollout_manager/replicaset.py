"""The ReplicaSet of a pod template, as Argo Rollouts makes it; and the template that it was made from. Pure."""

import copy
from collections.abc import Mapping
from typing import Any

import orjson

from services.rollout_manager.draft import Draft
from services.rollout_manager.gates import APPROVALS, GATES
from services.rollout_manager.keys import Obj
from services.rollout_manager.labels import (
    DESIRED_REPLICAS,
    EPHEMERAL_METADATA,
    HASH,
    LAST_APPLIED,
    NOTIFIED,
    REVISION,
    REVISION_HISTORY,
)
from services.rollout_manager.observed import ReplicaSet
from services.rollout_manager.state import mapping, text
from services.rollout_manager.traffic import owner_reference
from shared.events import ABORTED
from shared.kinds.strategy import AntiAffinity
from shared.merge import merge_patch_between

OURS = {GATES, APPROVALS, ABORTED}
NOT_INHERITED = {LAST_APPLIED, REVISION, REVISION_HISTORY, DESIRED_REPLICAS, NOTIFIED, EPHEMERAL_METADATA} | OURS
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def name_of(rollout: str, hash_: str) -> str:
    return f"{rollout}-{hash_}"


def hash_of(replica_set: Obj) -> str:
    """The hash that it was made for: its selector can't be changed, while its label is anybody's."""
    selected = mapping(replica_set, "spec", "selector", "matchLabels")
    return text(selected, HASH) or text(replica_set, "metadata", "labels", HASH)


def make(draft: Draft, replicas: int) -> Obj:
    """The object to create for the new template."""
    rollout, hash_ = draft.seen.rollout, draft.seen.hash
    template = copy.deepcopy(draft.seen.template)
    metadata = template.setdefault("metadata", {})
    metadata.pop("creationTimestamp", None)
    metadata["labels"] = {**(metadata.get("labels") or {}), HASH: hash_}
    annotations = inherited(rollout.metadata.annotations) | {
        REVISION: str(draft.revision),
        DESIRED_REPLICAS: str(draft.seen.replicas),
    }
    role = role_metadata(draft, "stable" if draft.alone else "new")
    if any(role.values()):
        add_metadata(metadata, role)
        annotations[EPHEMERAL_METADATA] = written(role)
    _keep_apart(draft, template)
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name_of(rollout.metadata.name, hash_),
            "namespace": rollout.metadata.namespace,
            "labels": metadata["labels"],
            "annotations": annotations,
            "ownerReferences": [owner_reference(rollout)],
        },
        "spec": {
            "replicas": replicas,
            **({"minReadySeconds": rollout.spec.min_ready_seconds} if rollout.spec.min_ready_seconds else {}),
            "selector": selector(draft, hash_),
            "template": template,
        },
    }


def selector(draft: Draft, hash_: str) -> Obj:
    found = draft.seen.rollout.spec.selector
    wire: Obj = found.to_wire() if found else {}
    return {**wire, "matchLabels": {**(wire.get("matchLabels") or {}), HASH: hash_}}


def inherited(annotations: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in annotations.items() if name not in NOT_INHERITED}


def role_metadata(draft: Draft, role: str) -> dict[str, dict[str, str]]:
    """The labels and annotations that pods carry while they are new or stable."""
    strategy = draft.seen.rollout.spec.strategy
    if strategy.canary is not None:
        found = strategy.canary.stable_metadata if role == "stable" else strategy.canary.canary_metadata
    elif strategy.blue_green is not None:
        found = strategy.blue_green.active_metadata if role == "stable" else strategy.blue_green.preview_metadata
    else:
        found = None
    return {"labels": dict(found.labels), "annotations": dict(found.annotations)} if found else {}


def written(role: Mapping[str, Mapping[str, str]]) -> str:
    """What is remembered of it, as Argo Rollouts writes it."""
    return orjson.dumps({name: dict(sorted(values.items())) for name, values in role.items() if values}).decode()


def add_metadata(metadata: dict[str, Any], role: Mapping[str, Mapping[str, str]]) -> None:
    for name, values in role.items():
        if values:
            metadata[name] = {**(metadata.get(name) or {}), **values}


def apart_patch(draft: Draft, one: ReplicaSet) -> Obj:
    """What changes in the pods' spec of a ReplicaSet that comes back as the new one: it stays off the nodes of the
    version that is stable now, not of the one that was.
    """
    before = mapping(one.obj, "spec", "template", "spec").get("affinity") or {}
    wanted = original_template(one.obj)
    _keep_apart(draft, wanted)
    after = wanted["spec"].get("affinity") or {}
    if before == after:
        return {}
    return {"affinity": merge_patch_between(before, after) if after else None}


def _keep_apart(draft: Draft, template: Obj) -> None:
    """Canary pods stay off the nodes of stable ones."""
    strategy = draft.seen.rollout.spec.strategy
    chosen = strategy.canary or strategy.blue_green
    rule = chosen.anti_affinity if chosen else None
    if rule is None or draft.alone:
        return
    affinity = template["spec"].setdefault("affinity", {}).setdefault("podAntiAffinity", {})
    term = anti_affinity_term(draft.state.stable, draft.seen.rollout.metadata.namespace)
    if rule.required_during_scheduling_ignored_during_execution is not None:
        affinity.setdefault(REQUIRED, []).append(term)
    else:
        affinity.setdefault(PREFERRED, []).append({"weight": _weight(rule), "podAffinityTerm": term})


def _weight(rule: AntiAffinity) -> int:
    preferred = rule.preferred_during_scheduling_ignored_during_execution
    return preferred.weight if preferred else 1


def anti_affinity_term(stable: str, namespace: str) -> Obj:
    return {
        "labelSelector": {"matchExpressions": [{"key": HASH, "operator": "In", "values": [stable]}]},
        "namespaces": [namespace],
        "topologyKey": "kubernetes.io/hostname",
    }


def original_template(replica_set: Obj) -> Obj:
    """The pod template that a ReplicaSet was made from: without hash label, role metadata and our anti-affinity."""
    template: Obj = copy.deepcopy(replica_set["spec"]["template"])
    metadata = template.setdefault("metadata", {})
    metadata.pop("creationTimestamp", None)
    labels = metadata.get("labels") or {}
    labels.pop(HASH, None)
    role = _remembered(replica_set)
    for name in ("labels", "annotations"):
        values = metadata.get(name)
        for key in role.get(name) or ():
            (values or {}).pop(key, None)
        if not values:
            metadata.pop(name, None)
    _without_term(template)
    return template


def _remembered(replica_set: Obj) -> Obj:
    text = ((replica_set.get("metadata") or {}).get("annotations") or {}).get(EPHEMERAL_METADATA) or "{}"
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _without_term(template: Obj) -> None:
    affinity = (template.get("spec") or {}).get("affinity") or {}
    apart = affinity.get("podAntiAffinity") or {}
    for name in (PREFERRED, REQUIRED):
        if apart.get(name):
            apart[name] = [term for term in apart[name] if not _is_ours(term.get("podAffinityTerm", term))]
            if not apart[name]:
                del apart[name]
    if "podAntiAffinity" in affinity and not apart:
        del affinity["podAntiAffinity"]
    if "affinity" in (template.get("spec") or {}) and not affinity:
        del template["spec"]["affinity"]


def _is_ours(term: Obj) -> bool:
    rules = (term.get("labelSelector") or {}).get("matchExpressions") or ()
    return any(rule.get("key") == HASH for rule in rules)


def remembered(annotations: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The role metadata that a ReplicaSet's pods were given last."""
    found = _remembered({"metadata": {"annotations": dict(annotations)}})
    return {name: dict(values) for name, values in found.items() if isinstance(values, dict)}
