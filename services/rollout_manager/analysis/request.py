"""From a Rollout's analysis to the AnalysisRun object that carries it. Pure.

`needed` is asked again with what was found until it asks for nothing more: nested templates. `build_run` resolves the
arguments against the live Rollout, flattens the templates and gives the object; the secrets of its arguments stay
references.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.rollout_manager.analysis import InvalidAnalysis, RunRequest
from services.rollout_manager.analysis.flatten import Flat, flattened, metrics, reached, ref_of
from services.rollout_manager.analysis.nodata import written
from services.rollout_manager.keys import Obj, Ref
from shared.kinds.analysis import Argument
from shared.kinds.strategy import RolloutAnalysis
from shared.kinds.wire import Wire

Templates = Mapping[Ref, Obj | None]


def needed(analysis: RolloutAnalysis, namespace: str, found: Templates) -> tuple[Ref, ...]:
    """The templates to read that are not in `found` yet."""
    first = [ref_of(one, namespace) for one in analysis.templates]
    return tuple(ref for ref in reached(first, found) if ref not in found)


def endless(analysis: RolloutAnalysis, namespace: str, found: Templates) -> list[str]:
    """What a step or a promotion would wait for without end, in Argo Rollouts' words."""
    refs = reached([ref_of(one, namespace) for one in analysis.templates], found)
    return [
        f"{ref.kind} {ref.name} has metric {metric.name} which runs indefinitely. Invalid value for count: none"
        for ref in refs
        for metric in metrics(found.get(ref))
        if metric.interval and not metric.count
    ]


def build_run(rollout: Obj, request: RunRequest, templates: Templates) -> Obj:
    """The AnalysisRun to create. Raises InvalidAnalysis."""
    namespace = rollout["metadata"]["namespace"]
    flat = flattened([ref_of(one, namespace) for one in request.analysis.templates], templates)
    hashes = {"Stable": request.stable_hash, "Latest": request.latest_hash}
    given = [resolved(one, rollout, hashes) for one in request.analysis.args]
    more = request.analysis.analysis_run_metadata
    metadata = {
        "name": request.name,
        "namespace": namespace,
        "labels": {**(more.labels if more else {}), **request.labels},
        "annotations": {**written(flat.no_data), **(more.annotations if more else {}), **request.annotations},
        "ownerReferences": [_owner(rollout)],
    }
    flat.dry_run += request.analysis.dry_run
    flat.retention += request.analysis.measurement_retention
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": metadata,
        "spec": spec(flat, given),
    }


def spec(flat: Flat, given: Iterable[Argument]) -> Obj:
    """`spec` of an AnalysisRun: what the templates say, with the arguments of who starts it. Raises InvalidAnalysis."""
    by_name = {one.name: one for one in given}
    args = [by_name.get(name, default) for name, default in flat.args.items()]
    missing = [f"args.{one.name} was not resolved" for one in args if one.value is None and one.value_from is None]
    if missing:
        raise InvalidAnalysis(*missing)
    parts: dict[str, Sequence[Wire]] = {
        "metrics": flat.metrics,
        "args": args,
        "dryRun": flat.dry_run,
        "measurementRetention": flat.retention,
    }
    return {name: [one.to_wire() for one in entries] for name, entries in parts.items() if entries}


def resolved(arg: Argument, rollout: Obj, hashes: Mapping[str, str]) -> Argument:
    """An argument of a Rollout as a plain value; a secret stays a reference. Raises InvalidAnalysis."""
    source = arg.value_from
    if source is None or source.secret_key_ref is not None:
        return arg
    if source.pod_template_hash_value is not None:
        if source.pod_template_hash_value not in hashes:
            raise InvalidAnalysis(f"args.{arg.name}: podTemplateHashValue is Stable or Latest")
        return Argument(name=arg.name, value=hashes[source.pod_template_hash_value])
    path = str((source.field_ref or {}).get("fieldPath") or "")
    found = field(rollout, path)
    if not isinstance(found, str | int | float | bool):
        raise InvalidAnalysis(f"args.{arg.name}: the Rollout has no value at {path!r}")
    return Argument(name=arg.name, value=str(found).lower() if isinstance(found, bool) else str(found))


def field(obj: Obj, path: str) -> Any:
    """What lies at `metadata.labels['app']` or `status.canary.weights.canary.weight`; None: nothing."""
    value: Any = obj
    for step in steps(path):
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def steps(path: str) -> list[str]:
    """Names between dots; in brackets they may hold dots themselves."""
    found: list[str] = []
    rest = path
    while rest:
        if rest.startswith("["):
            inner, _, rest = rest[1:].partition("]")
            found.append(inner.strip("'\""))
        else:
            end = min((at for at in (rest.find("."), rest.find("[")) if at >= 0), default=len(rest))
            if rest[:end]:
                found.append(rest[:end])
            rest = rest[end:].removeprefix(".")
    return found


def _owner(rollout: Obj) -> Obj:
    metadata = rollout["metadata"]
    named = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": metadata["name"], "uid": metadata["uid"]}
    return {**named, "controller": True, "blockOwnerDeletion": True}
