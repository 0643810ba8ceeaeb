"""What one pass saw: the values that decisions are made from. Frozen; nothing here reads or writes anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.rollout_manager.analysis import Run
from services.rollout_manager.experiments import SeenExperiment
from services.rollout_manager.gates import NO_FACTS, Facts
from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.traffic import Router
from shared.kinds.rollout import Rollout


@dataclass(frozen=True)
class ReplicaSet:
    """`desired` is what it is told to have, `replicas`, `ready` and `available` what it has."""

    name: str
    hash: str
    desired: int = 0
    replicas: int = 0
    ready: int = 0
    available: int = 0
    revision: int = 0
    created: str = ""
    uid: str = ""
    deadline: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""
    obj: Obj = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """All that it is told to have is available, and that is something."""
        return 0 < self.desired <= self.available


@dataclass(frozen=True)
class Service:
    name: str
    hash: str = ""
    managed_by: str = ""
    selector: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pod:
    name: str
    created: str
    deleting: bool = False
    ready: bool = True


@dataclass(frozen=True)
class Workload:
    """What `workloadRef` names."""

    ref: Ref
    generation: int
    replicas: int | None


@dataclass(frozen=True)
class Observed:
    """`hash` is that of the pod template that is wanted; `new` the ReplicaSet that has it, if there is one.

    `problems` are those that only the cluster could tell (a template that Kubernetes refuses, a Service that isn't
    there). `pods` are known only while a restart is asked for; `live` are the objects that traffic routers read.
    `claimed` are all Services that say they are this Rollout's, also those that it names no more. `endpoints` are the
    ready pods of each Service, where a router goes by them; None: nobody looked.
    """

    rollout: Rollout
    obj: Obj
    template: Obj
    hash: str
    now: datetime
    sets: tuple[ReplicaSet, ...] = ()
    services: Mapping[str, Service] = field(default_factory=dict)
    claimed: frozenset[str] = frozenset()
    runs: tuple[Run, ...] = ()
    experiments: tuple[SeenExperiment, ...] = ()
    templates: Mapping[Ref, Obj | None] = field(default_factory=dict)
    routers: tuple[Router, ...] = ()
    live: Mapping[Ref, Obj | None] = field(default_factory=dict)
    endpoints: Mapping[str, frozenset[str]] | None = None
    pods: tuple[Pod, ...] = ()
    workload: Workload | None = None
    gates: Facts = NO_FACTS
    problems: tuple[str, ...] = ()

    @property
    def new(self) -> ReplicaSet | None:
        return self.by_hash(self.hash)

    def by_hash(self, hash_: str) -> ReplicaSet | None:
        return next((one for one in self.sets if hash_ and one.hash == hash_), None)

    @property
    def replicas(self) -> int:
        return 1 if self.rollout.spec.replicas is None else self.rollout.spec.replicas
