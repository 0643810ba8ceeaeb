"""From an experiment step to the Experiment object that carries it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.rollout_manager.experiments import InvalidExperiment
from services.rollout_manager.keys import Obj
from shared.kinds.strategy import StepExperiment


@dataclass(frozen=True)
class ExperimentRequest:
    """An Experiment that a Rollout wants: name without a collision's suffix, labels and annotations complete.

    `stable` and `canary` are the ReplicaSets whose templates `specRef` means.
    """

    name: str
    step: StepExperiment
    stable: Obj
    canary: Obj
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def build_experiment(rollout: Obj, request: ExperimentRequest) -> Obj:  # noqa: ARG001
    """The Experiment to create. Raises InvalidExperiment."""
    raise InvalidExperiment("experiments are not built yet")
