"""What a decision says should be done, as values; act.py does it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.rollout_manager.gates import Question
from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.observed import ReplicaSet
from services.rollout_manager.traffic import Routed


@dataclass(frozen=True)
class SetChange:
    """What changes of one ReplicaSet, in one write. An annotation of None goes; `pod` is a patch of its pods' spec."""

    replicas: int | None = None
    annotations: Mapping[str, str | None] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    min_ready_seconds: int | None = None
    pod: Obj = field(default_factory=dict)


@dataclass(frozen=True)
class PodMetadata:
    """Labels and annotations that the pods of a ReplicaSet get while they play a role; `before` is what they got."""

    set: ReplicaSet
    before: Mapping[str, Mapping[str, str]]
    after: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Say:
    """A Kubernetes Event, and what happened in the bus's words (empty: nothing for the bus)."""

    reason: str
    message: str
    warning: bool = False
    what: str = ""


NOTHING_ROUTED = Routed()
OF_WRITES = frozenset(
    {
        "AnalysisRunPending",
        "ExperimentCreated",
        "NewReplicaSetCreated",
        "RolloutUpdated",
        "ScalingReplicaSet",
        "SwitchService",
        "TrafficWeightUpdated",
    }
)  # what is said of writes, once they are done


@dataclass(frozen=True)
class Decision:
    """One pass's outcome. In this order: `first` (a status), `create` and scale up, services, traffic, runs, then scale
    down and delete, `status`.
    """

    status: Obj
    first: Obj | None = None
    create: tuple[Obj, ...] = ()
    changes: Mapping[str, SetChange] = field(default_factory=dict)
    delete: tuple[ReplicaSet, ...] = ()
    services: Mapping[str, str] = field(default_factory=dict)
    let_go: tuple[str, ...] = ()
    routed: Routed = NOTHING_ROUTED
    start_runs: tuple[Obj, ...] = ()
    stop_runs: tuple[str, ...] = ()
    delete_runs: tuple[str, ...] = ()
    start_experiments: tuple[Obj, ...] = ()
    stop_experiments: tuple[str, ...] = ()
    delete_experiments: tuple[str, ...] = ()
    pods: tuple[PodMetadata, ...] = ()
    evict: tuple[str, ...] = ()
    workload: tuple[Ref, int] | None = None
    annotations: Mapping[str, str | None] = field(default_factory=dict)
    replicas: int | None = None
    ask: tuple[Question, ...] = ()
    says: tuple[Say, ...] = ()
    again: float | None = None
