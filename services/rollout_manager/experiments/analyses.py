"""The AnalysisRuns of an Experiment: started when it is available, and what their phases are. Pure."""

from services.rollout_manager.analysis import InvalidAnalysis, Phase
from services.rollout_manager.experiments import made
from services.rollout_manager.experiments.seen import Decision, Seen
from shared.kinds.experiment import ExperimentAnalysis, ExperimentRunStatus, ExperimentStatus


def analyse(seen: Seen, decision: Decision, available: str) -> tuple[tuple[ExperimentRunStatus, ...], list[str]]:
    """The state of each analysis, and what can't be started. Missing runs are created."""
    problems: list[str] = []
    known = {one.name: one.analysis_run for one in (seen.experiment.status or ExperimentStatus()).analysis_runs}
    found = []
    for analysis in seen.experiment.spec.analyses:
        name = known.get(analysis.name) or _new_name(seen, analysis)
        run = seen.runs.get(name)
        if run is None:
            try:
                decision.create.append(made.run(seen, analysis, name, places(seen, available)))
            except InvalidAnalysis as error:
                problems += [f"analysis '{analysis.name}': {problem}" for problem in error.problems]
        phase, message = (run.phase, run.message) if run else (Phase.PENDING, "")
        found.append(_state(analysis, name, phase, message))
    return tuple(found), problems


def _new_name(seen: Seen, analysis: ExperimentAnalysis) -> str:
    """An Experiment that is begun again asks again: runs that have ended keep their names."""
    base = name = made.name_of(seen, analysis.name)
    number = 0
    while name in seen.runs and seen.runs[name].phase.completed:
        number += 1
        name = f"{base}.{number}"
    return name


def _state(analysis: ExperimentAnalysis, name: str, phase: Phase, message: str) -> ExperimentRunStatus:
    return ExperimentRunStatus(name=analysis.name, analysis_run=name, phase=phase.value, message=message)


def places(seen: Seen, available: str) -> dict[str, str]:
    """What arguments may name in braces."""
    found = {"experiment.availableAt": available, "experiment.finishedAt": ""}
    for template in seen.experiment.spec.templates:
        one = seen.sets.get(template.name)
        found[f"templates.{template.name}.podTemplateHash"] = seen.hashes.get(template.name, "")
        found[f"templates.{template.name}.replicaset.name"] = one.name if one else made.name_of(seen, template.name)
    return found
