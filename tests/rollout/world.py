"""A cluster of ReplicaSets, Services and one Ingress in memory, on which a decision can be carried out; and its clock.

Pods become available when the test says so. The hash of a template is its image's name: no engine is needed.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from services.rollout_manager.act import sorted_changes
from services.rollout_manager.actions import Decision, SetChange
from services.rollout_manager.analysis import Phase, Run
from services.rollout_manager.decide import decide
from services.rollout_manager.experiments import SeenExperiment
from services.rollout_manager.gates import NO_FACTS, Facts
from services.rollout_manager.keys import Obj, Ref, ref_of
from services.rollout_manager.labels import HASH
from services.rollout_manager.observe import service_names
from services.rollout_manager.observed import Observed, Service
from services.rollout_manager.sets import replica_set
from services.rollout_manager.traffic.apply import carried
from services.rollout_manager.traffic.routers import configured
from shared.clock import rfc3339
from shared.kinds.rollout import Rollout
from shared.kube import live_object
from shared.merge import json_merge_patch, merge_patch_between
from tests.rollout.rollouts import rollout

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
STABLE_INGRESS = Ref("networking.k8s.io", "Ingress", "test", "web")


def to_json(obj: Obj) -> bytes:
    import orjson

    return orjson.dumps(obj)


@dataclass
class World:
    """`patience` is how long a pod takes to become available: 0 means at once with `settle`."""

    rollout: Obj
    sets: dict[str, Obj] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    objects: dict[Ref, Obj] = field(default_factory=dict)
    now: datetime = BEGIN
    said: list[str] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    last: Decision | None = None
    broken: set[str] = field(default_factory=set)
    endpoints: dict[str, frozenset[str]] | None = None
    runs: dict[str, Run] = field(default_factory=dict)
    templates: dict[Ref, Obj | None] = field(default_factory=dict)
    experiments: tuple[SeenExperiment, ...] = ()
    gates: Facts = NO_FACTS

    @classmethod
    def of(cls, strategy: Obj, **spec: Any) -> "World":
        obj = rollout(strategy, **spec)
        world = cls(obj)
        for name in service_names(Rollout.parse(obj)):
            world.services[name] = Service(name)
        return world

    @property
    def status(self) -> Obj:
        found: Obj = self.rollout.setdefault("status", {})
        return found

    @property
    def phase(self) -> str:
        return str(self.status.get("phase"))

    @property
    def image(self) -> str:
        return str(self.rollout["spec"]["template"]["spec"]["containers"][0]["image"])

    def pods(self, image: str) -> int:
        found = self.sets.get(f"web-{image}")
        return int(found["spec"]["replicas"]) if found else 0

    def available(self, image: str) -> int:
        found = self.sets.get(f"web-{image}")
        return int(found["status"]["availableReplicas"]) if found else 0

    @property
    def weight(self) -> int:
        return int(self.status.get("canary", {}).get("weights", {}).get("canary", {}).get("weight", 0))

    def observed(self) -> Observed:
        obj = copy.deepcopy(self.rollout)
        parsed = Rollout.parse({name: value for name, value in obj.items() if name != "status"})
        canary = parsed.spec.strategy.canary
        routers = configured(canary.traffic_routing) if canary and canary.traffic_routing else ()
        refs = [ref for router in routers for ref in router.reads(parsed)]
        sets = [replica_set(live_object(to_json(one))) for one in self.sets.values()]
        return Observed(
            rollout=parsed,
            obj=obj,
            template=obj["spec"]["template"],
            hash=self.image,
            now=self.now,
            sets=tuple(sorted(sets, key=lambda one: (one.revision, one.created), reverse=True)),
            services=dict(self.services),
            routers=routers,
            live={ref: self.objects.get(ref) for ref in refs},
            runs=tuple(self.runs.values()),
            experiments=self.experiments,
            templates=self.templates,
            endpoints=self.endpoints,
            gates=self.gates,
        )

    def step(self) -> Decision:
        """One pass: decide, and do it."""
        decision = decide(self.observed())
        self.carry_out(decision)
        self.last = decision
        return decision

    def first_write(self) -> bool:
        """One pass that dies after its first write; tells whether there was anything to write."""
        before = self.seen_from_outside()
        for write in self.writes(decide(self.observed())):
            write()
            if self.seen_from_outside() != before:
                return True
        return False

    def seen_from_outside(self) -> Any:
        return copy.deepcopy((self.rollout, self.sets, self.services, self.objects, self.runs))

    def carry_out(self, decision: Decision) -> None:
        for write in self.writes(decision):
            write()
        self.said += [say.reason for say in decision.says]
        self.told += [(say.reason, say.message) for say in decision.says]

    def writes(self, decision: Decision) -> Iterator[Callable[[], None]]:
        """A decision's writes, in the order of act.py."""
        if decision.first is not None:
            yield partial(self._write_status, decision.first)
        yield from (partial(self._create, made) for made in decision.create)
        up, down = sorted_changes(self.observed(), decision.changes)
        yield from (partial(self._change, name, change) for name, change in up.items())
        yield from (partial(self._switch, name, hash_) for name, hash_ in decision.services.items())
        yield from (partial(self._route, wanted) for wanted in decision.routed.wanted)
        yield from (partial(self._start, made) for made in decision.start_runs)
        yield from (partial(self._stop, name) for name in decision.stop_runs)
        yield from (partial(self.runs.__delitem__, name) for name in decision.delete_runs)
        yield from (partial(self._change, name, change) for name, change in down.items())
        yield from (partial(self.sets.__delitem__, gone.name) for gone in decision.delete)
        yield partial(self._annotate, decision.annotations)
        yield partial(self._write_status, decision.status)

    def _switch(self, name: str, hash_: str) -> None:
        self.services[name] = Service(name, hash_, "web")

    def _route(self, wanted: Obj) -> None:
        ref = ref_of(wanted)
        self.objects[ref] = carried(self.objects[ref], wanted) if ref in self.objects else dict(wanted)
        self.objects[ref]["metadata"].setdefault("resourceVersion", "1")

    def _stop(self, name: str) -> None:
        self.runs[name] = replace(self.runs[name], terminate=True)

    def _write_status(self, status: Obj) -> None:
        self.rollout["status"] = json_merge_patch(self.status, merge_patch_between(self.status, status))

    def _annotate(self, annotations: Mapping[str, str | None]) -> None:
        if annotations:
            metadata = self.rollout["metadata"]
            metadata["annotations"] = json_merge_patch(metadata.get("annotations") or {}, dict(annotations))

    def _create(self, made: Obj) -> None:
        assert made["metadata"]["name"] not in self.sets
        created = {**made, "status": {"replicas": 0, "readyReplicas": 0, "availableReplicas": 0}}
        created["metadata"] = {
            **made["metadata"],
            "creationTimestamp": rfc3339(self.now),
            "uid": made["metadata"]["name"],
        }
        self.sets[made["metadata"]["name"]] = created

    def _start(self, made: Obj) -> None:
        metadata, labels = made["metadata"], made["metadata"]["labels"]
        assert metadata["name"] not in self.runs
        self.runs[metadata["name"]] = Run(
            name=metadata["name"],
            uid=metadata["name"],
            type=labels["rollout-type"],
            step=labels.get("step-index", ""),
            hash=labels[HASH],
            phase=Phase.PENDING,
            created=rfc3339(self.now),
        )

    def judged(self, type_: str, phase: Phase, message: str = "") -> None:
        """The newest run of a kind comes to a verdict."""
        name = [name for name, run in self.runs.items() if run.type == type_][-1]
        self.runs[name] = replace(self.runs[name], phase=phase, message=message)

    def _change(self, name: str, change: SetChange) -> None:
        one, replicas = self.sets[name], change.replicas
        if replicas is not None:
            one["spec"]["replicas"] = replicas
            status = one["status"]
            for count in ("replicas", "readyReplicas", "availableReplicas"):  # what is ready goes last
                status[count] = min(status[count], replicas)
        one["metadata"]["annotations"] = json_merge_patch(one["metadata"]["annotations"], dict(change.annotations))

    def become_available(self, name: str, count: int | None = None) -> None:
        """Some more pods of a ReplicaSet are there and available; all without a count."""
        one = self.sets[name]
        wanted = one["spec"]["replicas"]
        one["status"]["replicas"] = wanted
        if name in self.broken:
            return
        now = one["status"]["availableReplicas"] + (wanted if count is None else count)
        one["status"]["readyReplicas"] = one["status"]["availableReplicas"] = min(wanted, now)

    def settle(self, *, most: int = 60) -> None:
        """Pods come and passes are made until nothing changes any more."""
        for _ in range(most):
            before = copy.deepcopy((self.rollout, self.sets, self.services, self.objects))
            self.step()
            for name in self.sets:
                self.become_available(name)
            if before == (self.rollout, self.sets, self.services, self.objects):
                return
        raise AssertionError(f"not settled: {self.rollout['status']}")

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def push(self, image: str) -> None:
        """A new pod template."""
        self.rollout["spec"]["template"]["spec"]["containers"][0]["image"] = image
        self.rollout["metadata"]["generation"] += 1

    def spec(self, **changes: Any) -> None:
        self.rollout["spec"] |= changes
        self.rollout["metadata"]["generation"] += 1

    def patch_status(self, patch: Obj) -> None:
        """As `kubectl argo rollouts` does."""
        self.rollout["status"] = json_merge_patch(self.status, patch)

    def promote(self) -> None:
        self.patch_status({"pauseConditions": None})
