"""What a Rollout wants of analyses and experiments, and what their verdicts mean for it. Pure.

`judge` goes first: a failed analysis aborts, an inconclusive one pauses. `want` goes last: it starts what the place
where the Rollout is now asks for, and ends what no longer belongs to it.
"""

from collections.abc import Mapping, Sequence

from services.rollout_manager.analysis import Phase, Run, RunRequest, RunType
from services.rollout_manager.analysis.request import build_run
from services.rollout_manager.draft import Draft
from services.rollout_manager.experiments import SeenExperiment
from services.rollout_manager.experiments.request import ExperimentRequest, build_experiment
from services.rollout_manager.labels import HASH, INSTANCE_ID, REVISION, ROLLOUT_TYPE, STEP_INDEX
from services.rollout_manager.state import INCONCLUSIVE_EXPERIMENT, INCONCLUSIVE_RUN
from services.rollout_manager.steps import current, in_window
from shared.clock import rfc3339
from shared.kinds.strategy import RolloutAnalysis

WORDS = {
    RunType.STEP: "Step-based analysis",
    RunType.BACKGROUND: "Background analysis",
    RunType.PRE_PROMOTION: "Blue/green pre-promotion analysis",
    RunType.POST_PROMOTION: "Blue/green post-promotion analysis",
}
SUFFIX = {RunType.PRE_PROMOTION: "-pre", RunType.POST_PROMOTION: "-post"}


def run_of(draft: Draft, type_: RunType) -> Run | None:
    """The run that the status names."""
    name = draft.state.runs.get(type_, {}).get("name")
    return next((one for one in draft.seen.runs if one.name == name), None)


def judge(draft: Draft) -> None:
    """Take over what runs have come to."""
    _pass_over(draft)
    for type_ in RunType:
        run = run_of(draft, type_)
        if run is not None:
            _judge_run(draft, type_, run)
    _judge_experiment(draft)


def _pass_over(draft: Draft) -> None:
    """Somebody has gone past a step: what it asked says nothing of the next one."""
    step, run = str(draft.state.index or 0), run_of(draft, RunType.STEP)
    if run is not None and run.step != step and not draft.state.abort:
        draft.state.runs.pop(RunType.STEP)
    if any(one.name == draft.state.experiment and one.step != step for one in draft.seen.experiments):
        draft.state.experiment = ""


def _judge_run(draft: Draft, type_: RunType, run: Run) -> None:
    known = draft.state.runs[type_]
    before = str(known.get("status") or "")
    first = before != run.phase
    if first:
        warning = run.phase in {Phase.FAILED, Phase.ERROR}
        draft.say(
            f"AnalysisRun{run.phase}", turned(type_, run.name, run.phase, before), warning=warning, what="verdict"
        )
    draft.state.runs[type_] = {"name": run.name, "status": str(run.phase), "message": run.message}
    if run.phase in {Phase.FAILED, Phase.ERROR} and not draft.promoted:
        abort(draft, f"{WORDS[type_]} phase error/failed" + (f": {run.message}" if run.message else ""))
    elif run.phase is Phase.INCONCLUSIVE:
        _inconclusive(draft, INCONCLUSIVE_RUN, first=first, type_=type_)


def turned(type_: RunType, name: str, phase: Phase, before: str = "") -> str:
    """What a Rollout's Event says of an analysis."""
    return f"{type_} Analysis Run '{name}' Status New: '{phase}' Previous: '{before or 'NoPreviousStatus'}'"


def _inconclusive(draft: Draft, why: str, *, first: bool, type_: RunType | None = None) -> None:
    """Pause once; a pause that someone took away asks for another run."""
    if why in draft.state.pauses or draft.state.abort:
        return
    if first:
        draft.pause(why)
        draft.say("RolloutPaused", f"Rollout is paused ({why})", what="paused")
    elif type_ is not None:
        draft.state.runs.pop(type_, None)
        draft.state.controller_pause = False


def _judge_experiment(draft: Draft) -> None:
    found = next((one for one in draft.seen.experiments if one.name == draft.state.experiment), None)
    if found is None or not found.phase.completed or found.phase is Phase.SUCCESSFUL:
        return
    if found.phase is Phase.INCONCLUSIVE:
        _inconclusive(draft, INCONCLUSIVE_EXPERIMENT, first=not draft.state.controller_pause)
    else:
        abort(draft, f"Experiment {found.name} {found.phase}: {found.message}")


def abort(draft: Draft, message: str) -> None:
    """End the update; where there is nothing to go back to it goes on."""
    if draft.state.abort or draft.alone:
        return
    draft.state.abort, draft.state.aborted_at, draft.state.abort_message = True, rfc3339(draft.now), message
    draft.state.unpause()


def wanted_types(draft: Draft) -> Mapping[RunType, RolloutAnalysis]:
    """What should run where a canary is now."""
    if draft.alone or draft.aborted or draft.state.promote_full or draft.new is None or in_window(draft):
        return {}
    found: dict[RunType, RolloutAnalysis] = {}
    background, step = draft.canary.analysis, current(draft)
    if background is not None and (draft.state.index or 0) >= (background.starting_step or 0):
        found[RunType.BACKGROUND] = background
    if step is not None and step.analysis is not None:
        found[RunType.STEP] = step.analysis
    return found


def want(draft: Draft, types: Mapping[RunType, RolloutAnalysis] | None = None) -> None:
    """Start what is missing, end what is not wanted, delete what is old. Raises InvalidAnalysis, InvalidExperiment."""
    wanted = wanted_types(draft) if types is None else types
    for type_, analysis in wanted.items():
        run = run_of(draft, type_)
        if (run is None or run.hash != draft.seen.hash) and not draft.seen.rollout.spec.paused:
            _start(draft, type_, analysis)
    experiment = _want_experiment(draft) if types is None else ""
    current_names = {draft.state.runs.get(type_, {}).get("name") for type_ in wanted}
    running = (run for run in draft.seen.runs if not run.phase.completed and not run.terminate)
    draft.stop_runs += [run.name for run in running if run.name not in current_names]
    running_experiments = (one for one in draft.seen.experiments if not one.phase.completed and not one.terminate)
    draft.stop_experiments += [one.name for one in running_experiments if one.name != experiment]
    for type_ in RunType:
        if type_ not in wanted and type_ in {RunType.STEP, RunType.BACKGROUND} and not draft.aborted:
            draft.state.runs.pop(type_, None)
    _forget(draft)


def _start(draft: Draft, type_: RunType, analysis: RolloutAnalysis) -> None:
    step = str(draft.state.index or 0) if type_ is RunType.STEP else ""
    base = f"{draft.seen.rollout.metadata.name}-{draft.seen.hash}-{draft.revision}"
    name = _free(base + SUFFIX.get(type_, f"-{step}" if step else ""), {run.name for run in draft.seen.runs}, ".")
    known = next((run for run in draft.seen.runs if run.name == name), None)
    if known is None:
        request = RunRequest(
            name=name,
            type=type_,
            analysis=analysis,
            stable_hash=draft.state.stable,
            latest_hash=draft.seen.hash,
            labels=_labels(draft) | {ROLLOUT_TYPE: type_.value} | ({STEP_INDEX: step} if step else {}),
            annotations={REVISION: str(draft.revision)},
        )
        draft.start_runs.append(build_run(draft.seen.obj, request, draft.seen.templates))
        draft.say("AnalysisRunPending", turned(type_, name, Phase.PENDING), what="analysis")
    draft.state.runs[type_] = {"name": name, "status": str(Phase.PENDING), "message": ""}


def _free(base: str, taken: set[str], between: str) -> str:
    name, number = base, 0
    while name in taken:
        number += 1
        name = f"{base}{between}{number}"
    return name


def _labels(draft: Draft) -> dict[str, str]:
    selector = draft.seen.rollout.spec.selector
    instance = draft.seen.rollout.metadata.labels.get(INSTANCE_ID)
    return {
        **(selector.match_labels if selector else {}),
        HASH: draft.seen.hash,
        **({INSTANCE_ID: instance} if instance else {}),
    }


def _want_experiment(draft: Draft) -> str:
    """The experiment of the current step, started when it is not there."""
    step = None if draft.alone or draft.aborted or draft.state.promote_full else current(draft)
    if step is None or step.experiment is None or draft.new is None or draft.stable is None:
        draft.state.experiment = ""
        return ""
    there = any(one.name == draft.state.experiment for one in draft.seen.experiments)
    if there or draft.seen.rollout.spec.paused:
        return draft.state.experiment
    index = draft.state.index or 0
    base = f"{draft.seen.rollout.metadata.name}-{draft.seen.hash}-{draft.revision}-{index}"
    name = _free(base, {one.name for one in draft.seen.experiments}, "-")
    request = ExperimentRequest(
        name=name,
        step=step.experiment,
        stable=draft.stable.obj,
        canary=draft.new.obj,
        labels=_labels(draft) | {STEP_INDEX: str(index)},
        annotations={REVISION: str(draft.revision)},
    )
    draft.start_experiments.append(build_experiment(draft.seen.obj, request))
    draft.say("ExperimentCreated", f"Created Experiment '{name}'", what="experiment")
    draft.state.experiment = name
    return name


def _forget(draft: Draft) -> None:
    """Keep the last finished runs and experiments of each kind of end, and none of a ReplicaSet that is gone."""
    limits = draft.seen.rollout.spec.analysis
    good = 5 if limits is None or limits.successful_run_history_limit is None else limits.successful_run_history_limit
    bad = (
        5 if limits is None or limits.unsuccessful_run_history_limit is None else limits.unsuccessful_run_history_limit
    )
    named = {run.get("name") for run in draft.state.runs.values()}
    ended = [run for run in draft.seen.runs if run.phase.completed and run.name not in named]
    over = [one for one in draft.seen.experiments if one.phase.completed and one.name != draft.state.experiment]
    draft.delete_runs += _beyond(draft, ended, good, bad)
    draft.delete_experiments += _beyond(draft, over, good, bad)


def _beyond(draft: Draft, ended: Sequence[Run | SeenExperiment], good: int, bad: int) -> list[str]:
    """The names of those that go."""
    there = {draft.seen.hash, *(one.hash for one in draft.seen.sets)} - {gone.hash for gone in draft.delete}
    names = [one.name for one in ended if one.hash not in there]
    kept = sorted((one for one in ended if one.hash in there), key=lambda one: one.created, reverse=True)
    for is_good, limit in ((True, good), (False, bad)):
        same = [one.name for one in kept if (one.phase is Phase.SUCCESSFUL) == is_good]
        names += same[max(0, limit) :]
    return names
