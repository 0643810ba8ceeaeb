"""The subsets of a DestinationRule: the Rollout's two and its experiments' carry the pod template hash; others stay."""

import copy

from services.rollout_manager.keys import Obj
from services.rollout_manager.labels import HASH, MANAGED_BY
from services.rollout_manager.traffic import Plan
from services.rollout_manager.traffic.istio_destinations import Names


def rule(live: Obj, rollout: str, names: Names, plan: Plan) -> Obj:
    wanted = copy.deepcopy(live)
    metadata = wanted.setdefault("metadata", {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), MANAGED_BY: rollout}
    spec = wanted.setdefault("spec", {})
    hashes = {names.subset("canary"): plan.canary_hash or plan.stable_hash, names.subset("stable"): plan.stable_hash}
    hashes |= {one.service: one.pod_template_hash for one in plan.weights.additional}
    kept = [one for one in spec.get("subsets") or () if one.get("name") in hashes or not _stale(one, names)]
    known = {one.get("name") for one in kept}
    added = [{"name": name} for name in hashes if name and name not in known]
    spec["subsets"] = [_labelled(one, hashes.get(one.get("name", ""), "")) for one in (*kept, *added)]
    return wanted


def _stale(subset: Obj, names: Names) -> bool:
    return names.of_experiment(str(subset.get("name") or ""))


def _labelled(subset: Obj, hash_: str) -> Obj:
    return {**subset, "labels": {**(subset.get("labels") or {}), HASH: hash_}} if hash_ else subset
