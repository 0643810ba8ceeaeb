"""Experiments, in two halves that meet in the Experiment objects, as analysis has them.

The rollout's half (`request.py`): `build_experiment` makes the object of an experiment step from the step, the Rollout
and the pod templates of its ReplicaSets; pure. The pass creates it, watches `status.phase`, gives the traffic shares of
its templates to the routers (`Destination`), and ends one by `spec.terminate: true`.

The experiment's half (`loop.py`): a work queue over all Experiments, whoever made them: `decide(observed, now)` is pure
and says which ReplicaSets, Services and AnalysisRuns should be.
"""

from dataclasses import dataclass

from services.rollout_manager.analysis import Phase
from services.rollout_manager.traffic import Destination


class InvalidExperiment(Exception):
    """An experiment step that can't be started as it is written."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class SeenExperiment:
    """What a Rollout sees of an Experiment. `destinations` have the weights of the step's templates; none unless it
    runs.
    """

    name: str
    uid: str
    hash: str
    step: str
    phase: Phase
    message: str = ""
    terminate: bool = False
    created: str = ""
    destinations: tuple[Destination, ...] = ()
