"""An Experiment as a pass sees it, and what the pass is to do. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.rollout_manager.analysis import Phase
from services.rollout_manager.analysis.flatten import Templates
from services.rollout_manager.keys import Obj
from services.rollout_manager.observed import ReplicaSet
from shared.kinds.experiment import Experiment


@dataclass(frozen=True)
class SeenRun:
    """What an Experiment sees of an AnalysisRun of its own."""

    phase: Phase
    message: str = ""
    terminate: bool = False


@dataclass(frozen=True)
class Seen:
    """`hashes`, `sets` and `services` by template name, `runs` by their own name; a hash is empty and `problems` say
    why where a template is no pod template.
    """

    experiment: Experiment
    obj: Obj
    now: datetime
    hashes: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    sets: Mapping[str, ReplicaSet] = field(default_factory=dict)
    services: Mapping[str, Obj] = field(default_factory=dict)
    runs: Mapping[str, SeenRun] = field(default_factory=dict)
    templates: Templates = field(default_factory=dict)

    @property
    def over(self) -> bool:
        phase = self.experiment.status.phase if self.experiment.status else ""
        return phase in list(Phase) and Phase(phase).completed


@dataclass
class Decision:
    """`scale` and `deadlines` (None: it has none any more) by the name of a ReplicaSet; `again`: seconds until
    something is due by itself.
    """

    status: Obj = field(default_factory=dict)
    create: list[Obj] = field(default_factory=list)
    scale: dict[str, int] = field(default_factory=dict)
    deadlines: dict[str, str | None] = field(default_factory=dict)
    delete_services: list[str] = field(default_factory=list)
    stop_runs: list[str] = field(default_factory=list)
    again: float | None = None

    def due(self, seconds: float) -> None:
        """Come back then, if nothing else brings us back before."""
        self.again = seconds if self.again is None else min(self.again, seconds)
