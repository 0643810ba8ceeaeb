"""Several templates, and the templates that they name, as one: metrics, arguments, dry runs, retention. Pure.

Raises InvalidAnalysis with every problem: what does not exist, what names itself, what contradicts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.rollout_manager.analysis import InvalidAnalysis, Phase, nodata
from services.rollout_manager.keys import Obj, Ref
from shared.kinds.analysis import AnalysisTemplate, Argument, DryRun, Metric, Retention, TemplateRef, TemplateSpec
from shared.kinds.wire import InvalidObject

GROUP = "argoproj.io"
DEEPEST = 32
Templates = Mapping[Ref, Obj | None]


@dataclass
class Flat:
    """What all templates say together, in their order."""

    metrics: list[Metric] = field(default_factory=list)
    args: dict[str, Argument] = field(default_factory=dict)
    dry_run: list[DryRun] = field(default_factory=list)
    retention: list[Retention] = field(default_factory=list)
    no_data: dict[str, Phase] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    taken: set[Ref] = field(default_factory=set)


def ref_of(one: TemplateRef, namespace: str) -> Ref:
    if one.cluster_scope:
        return Ref(GROUP, "ClusterAnalysisTemplate", "", one.template_name)
    return Ref(GROUP, "AnalysisTemplate", namespace, one.template_name)


def reached(refs: Iterable[Ref], found: Templates) -> list[Ref]:
    """These templates and all that they name, as far as they are known; each once, so that a circle ends."""
    waiting, seen = list(refs), dict[Ref, None]()
    while waiting:
        ref = waiting.pop(0)
        if ref in seen:
            continue
        seen[ref] = None
        waiting += nested(ref, found.get(ref))
    return list(seen)


def nested(ref: Ref, obj: Obj | None) -> list[Ref]:
    """The templates that a template names: those of its own namespace, or of the whole cluster."""
    try:
        named = spec_of(obj).templates if obj else ()
    except InvalidObject:
        return []
    return [ref_of(one, ref.namespace) for one in named if ref.namespace or one.cluster_scope]


def spec_of(obj: Obj) -> TemplateSpec:
    """Raises InvalidObject."""
    return AnalysisTemplate.parse({**obj, "kind": "AnalysisTemplate"}).spec


def metrics(obj: Obj | None) -> tuple[Metric, ...]:
    """The metrics of a template; none of one that is missing or can't be read."""
    try:
        return spec_of(obj).metrics if obj else ()
    except InvalidObject:
        return ()


def annotations_of(obj: Obj) -> Mapping[str, str]:
    return AnalysisTemplate.parse({**obj, "kind": "AnalysisTemplate"}).metadata.annotations


def flattened(refs: Iterable[Ref], found: Templates) -> Flat:
    """Raises InvalidAnalysis."""
    flat = Flat()
    for ref in refs:
        _add(flat, ref, found, ())
    if not flat.metrics and not flat.problems:
        flat.problems.append("no metrics specified")
    if flat.problems:
        raise InvalidAnalysis(*dict.fromkeys(flat.problems))
    return flat


def _add(flat: Flat, ref: Ref, found: Templates, above: tuple[Ref, ...]) -> None:
    if ref in above:
        flat.problems.append(f"{ref} names itself: {' -> '.join(one.name for one in (*above, ref))}")
        return
    if len(above) >= DEEPEST:
        flat.problems.append(f"{above[0]} names templates that name templates, more than {DEEPEST} deep")
        return
    if above and ref in flat.taken:
        return  # reached on two ways it counts once: ways double at each level
    flat.taken.add(ref)
    obj = found.get(ref)
    if obj is None:
        flat.problems.append(f"{ref.kind} '{ref.name}' not found")
        return
    try:
        spec = spec_of(obj)
    except InvalidObject as error:
        flat.problems += [f"{ref}: {problem}" for problem in error.problems]
        return
    _take(flat, spec)
    try:
        flat.no_data |= nodata.read(annotations_of(obj), [metric.name for metric in spec.metrics])
    except InvalidAnalysis as error:
        flat.problems += [f"{ref}: {problem}" for problem in error.problems]
    for one in spec.templates:
        if one.cluster_scope or ref.namespace:
            _add(flat, ref_of(one, ref.namespace), found, (*above, ref))
        else:
            flat.problems.append(f"{ref} names the AnalysisTemplate '{one.template_name}', which has a namespace")


def _take(flat: Flat, spec: TemplateSpec) -> None:
    for metric in spec.metrics:
        if any(known.name == metric.name for known in flat.metrics):
            flat.problems.append(f"two metrics have the same name '{metric.name}'")
        flat.metrics.append(metric)
    for arg in spec.args:
        known = flat.args.get(arg.name)
        if known is not None and None not in (known.value, arg.value) and known.value != arg.value:
            flat.problems.append(f"Argument `{arg.name}` specified multiple times with different values")
        if known is None or (known.value is None and known.value_from is None):
            flat.args[arg.name] = arg
    flat.dry_run += spec.dry_run
    flat.retention += spec.measurement_retention
