"""Analysis, in two halves that meet in the AnalysisRun objects.

The rollout's half (`request.py`, used by the rollout pass): which AnalysisRuns a Rollout wants (`RunRequest`), what is
read for one (`needed`), and the object to create (`build_run`). Pure. The pass creates the object, watches its
`status.phase`, and ends one by `spec.terminate: true`; it never reads more of a run than `Run`.

The run's half (`loop.py`): a work queue over all AnalysisRuns, whoever made them (a Rollout, an Experiment, a person):
`decide(run, now)` is pure and says what to measure, when to come back and what the status is; measurements are the only
I/O. It knows nothing of Rollouts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.kinds.strategy import RolloutAnalysis


class RunType(StrEnum):
    """The label `rollout-type`."""

    STEP = "Step"
    BACKGROUND = "Background"
    PRE_PROMOTION = "PrePromotion"
    POST_PROMOTION = "PostPromotion"


class Phase(StrEnum):
    """From best to worst is not their order: see the verdict's rules."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    ERROR = "Error"
    INCONCLUSIVE = "Inconclusive"

    @property
    def completed(self) -> bool:
        return self not in {Phase.PENDING, Phase.RUNNING}


class InvalidAnalysis(Exception):
    """An analysis that can't be started as it is written; `problems` says all of why."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Run:
    """What a Rollout sees of an AnalysisRun. `phase` is Pending until the run's half has written one."""

    name: str
    uid: str
    type: str
    step: str
    hash: str
    phase: Phase
    message: str = ""
    terminate: bool = False
    created: str = ""


@dataclass(frozen=True)
class RunRequest:
    """An AnalysisRun that a Rollout wants: its name without a collision's suffix, labels and annotations complete."""

    name: str
    type: RunType
    analysis: RolloutAnalysis
    stable_hash: str
    latest_hash: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
