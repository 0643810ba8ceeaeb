"""A decision being made: what was seen, where the Rollout is, and what is to be done, gathered until it is finished.

Lives for one call of `decide` and is seen by nobody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.rollout_manager.actions import NOTHING_ROUTED, PodMetadata, Say, SetChange
from services.rollout_manager.gates import Question
from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.labels import HASH
from services.rollout_manager.observed import Observed, ReplicaSet
from services.rollout_manager.state import State, entries, text
from services.rollout_manager.traffic import Routed
from shared.clock import rfc3339
from shared.kinds.strategy import BlueGreen, Canary

DEFAULT_DELAY = 30


def progressing_reason(obj: Obj) -> str:
    """The reason of the Progressing condition as it was."""
    found = (one for one in entries(obj, "status", "conditions") if one.get("type") == "Progressing")
    return next((text(one, "reason") for one in found), "")


@dataclass
class Draft:
    """`counts`, `notes` and `pod_patches` gather the changes of ReplicaSets, by name; `select` the hashes of
    Services.
    """

    seen: Observed
    state: State
    stable_before: str
    create: list[Obj] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    notes: dict[str, dict[str, str | None]] = field(default_factory=dict)
    pod_patches: dict[str, Obj] = field(default_factory=dict)
    delete: list[ReplicaSet] = field(default_factory=list)
    select: dict[str, str] = field(default_factory=dict)
    routed: Routed = NOTHING_ROUTED
    start_runs: list[Obj] = field(default_factory=list)
    stop_runs: list[str] = field(default_factory=list)
    delete_runs: list[str] = field(default_factory=list)
    start_experiments: list[Obj] = field(default_factory=list)
    stop_experiments: list[str] = field(default_factory=list)
    delete_experiments: list[str] = field(default_factory=list)
    pods: list[PodMetadata] = field(default_factory=list)
    evict: list[str] = field(default_factory=list)
    workload: tuple[Ref, int] | None = None
    annotations: dict[str, str | None] = field(default_factory=dict)
    says: list[Say] = field(default_factory=list)
    wakes: list[datetime] = field(default_factory=list)
    ask: dict[int, Question] = field(default_factory=dict)
    waits_for: list[str] = field(default_factory=list)
    revision: int = 0
    restarting: bool = False
    completed: str = ""
    resumed: str = "Rollout is resumed"

    @property
    def now(self) -> datetime:
        return self.seen.now

    @property
    def canary(self) -> Canary:
        found = self.seen.rollout.spec.strategy.canary
        assert found is not None
        return found

    @property
    def blue_green(self) -> BlueGreen:
        found = self.seen.rollout.spec.strategy.blue_green
        assert found is not None
        return found

    @property
    def is_canary(self) -> bool:
        return self.seen.rollout.spec.strategy.canary is not None

    @property
    def routes_traffic(self) -> bool:
        canary = self.seen.rollout.spec.strategy.canary
        return canary is not None and canary.traffic_routing is not None

    @property
    def most(self) -> int:
        """The weight that is all of the traffic."""
        routing = self.canary.traffic_routing if self.is_canary else None
        return (routing.max_traffic_weight or 100) if routing else 100

    @property
    def new(self) -> ReplicaSet | None:
        return self.seen.new

    @property
    def stable(self) -> ReplicaSet | None:
        """The ReplicaSet to go back to; the new one itself once it is promoted."""
        return self.seen.by_hash(self.state.stable)

    @property
    def promoted(self) -> bool:
        return bool(self.state.stable) and self.state.stable == self.seen.hash

    @property
    def alone(self) -> bool:
        """There is nothing beside the new ReplicaSet to go back to: a first deployment, or the stable one is gone."""
        return self.stable is None or self.promoted

    @property
    def others(self) -> tuple[ReplicaSet, ...]:
        """Neither new nor stable, newest first."""
        return tuple(one for one in self.seen.sets if one.hash not in {self.seen.hash, self.state.stable})

    @property
    def aborted(self) -> bool:
        """An abort goes back to the stable ReplicaSet: without one there is nowhere to go."""
        return self.state.abort and not self.alone

    @property
    def retrying(self) -> bool:
        """The abort that the conditions still tell of was taken back."""
        return not self.state.abort and progressing_reason(self.seen.obj) == "RolloutAborted"

    @property
    def halted(self) -> bool:
        """Nothing moves on but the number of pods."""
        return self.seen.rollout.spec.paused or any("Inconclusive" in reason for reason in self.state.pauses)

    def scale(self, one: ReplicaSet, replicas: int) -> None:
        self.counts[one.name] = replicas

    def note(self, one: ReplicaSet, name: str, value: str | None) -> None:
        """Set or remove an annotation of a ReplicaSet, unless it is so."""
        if one.annotations.get(name) != value:
            self.notes.setdefault(one.name, {})[name] = value

    def say(self, reason: str, message: str, *, warning: bool = False, what: str = "") -> None:
        self.says.append(Say(reason, message, warning, what))

    def wake(self, when: datetime) -> None:
        if when > self.now:
            self.wakes.append(when)

    def wake_in(self, seconds: float) -> None:
        self.wake(self.now + timedelta(seconds=seconds))

    def pause(self, reason: str) -> None:
        self.state.pauses[reason] = rfc3339(self.now)
        self.state.controller_pause = True

    def changes(self) -> Mapping[str, SetChange]:
        """The writes of ReplicaSets that differ from what is there."""
        found = {one.name: self._change(one) for one in self.seen.sets}
        return {name: change for name, change in found.items() if change != SetChange()}

    def _change(self, one: ReplicaSet) -> SetChange:
        count = self.counts.get(one.name, one.desired)
        ready = self.seen.rollout.spec.min_ready_seconds
        stale = one.hash == self.seen.hash and ((one.obj.get("spec") or {}).get("minReadySeconds") or 0) != ready
        labelled = text(one.obj, "metadata", "labels", HASH) == one.hash or not one.obj
        return SetChange(
            count if count != one.desired else None,
            self.notes.get(one.name, {}),
            {} if labelled else {HASH: one.hash},  # who looks for ReplicaSets goes by it, our own watch too
            ready if stale else None,
            self.pod_patches.get(one.name, {}),
        )
