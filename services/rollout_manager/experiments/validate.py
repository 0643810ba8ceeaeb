"""What is wrong with an Experiment's spec, all of it. Pure."""

from shared.kinds.durations import seconds
from shared.kinds.experiment import Experiment


def problems_of(experiment: Experiment) -> list[str]:
    spec = experiment.spec
    problems = [] if spec.templates else ["spec.templates: an Experiment needs at least one template"]
    names = [one.name for one in spec.templates]
    problems += [f"spec.templates: duplicate name '{one}'" for one in sorted({n for n in names if names.count(n) > 1})]
    for one in spec.templates:
        labels = (one.template.get("metadata") or {}).get("labels") or {}
        wanted = (one.selector or {}).get("matchLabels") or {}
        if not one.name:
            problems.append("spec.templates: a template needs a name")
        if not wanted:
            problems.append(f"template '{one.name}': an empty selector is invalid")
        if any(labels.get(name) != value for name, value in wanted.items()):
            problems.append(f"template '{one.name}': `selector` does not match template `labels`")
    try:
        if spec.duration and seconds(spec.duration) < 0:
            problems.append("spec.duration: less than nothing")
    except ValueError as error:
        problems.append(f"spec.duration: {error}")
    return problems
