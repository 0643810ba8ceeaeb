"""Random histories of what people and pods do to a Rollout: no pass may ever take too much, and all ends well.

After every pass: weight only where available pods are; no pass takes available pods below the bound or makes more pods
than the bound; a Service is never switched to a ReplicaSet that has none; never is everything scaled to zero. After
every history, when people stop and pods come up, the Rollout ends Healthy, or Degraded where it was aborted.
"""

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis import Phase as Part
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from services.rollout_manager.analysis import Phase
from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.replicas import bounds
from tests.rollout.rollouts import blue_green, canary, ingress, routed
from tests.rollout.test_verdicts_move_a_rollout import TEMPLATE
from tests.rollout.world import STABLE_INGRESS, World

WORKS = Ref("argoproj.io", "AnalysisTemplate", "test", "works")
VERDICTS = (Phase.SUCCESSFUL, Phase.FAILED, Phase.INCONCLUSIVE, Phase.ERROR)
VERSIONS = st.sampled_from([f"v{number}" for number in range(1, 6)])
COUNTS = st.integers(1, 9)
ANALYSIS: Obj = {"templates": [{"templateName": "works"}]}
STEP = st.one_of(
    st.integers(0, 100).map(lambda weight: {"setWeight": weight}),
    st.sampled_from([{"pause": {}}, {"pause": {"duration": 30}}, {"analysis": ANALYSIS}]),
)
ROUTED_STEP = st.one_of(
    STEP,
    st.sampled_from(
        [
            {"setCanaryScale": {"replicas": 3}},
            {"setCanaryScale": {"weight": 50}},
            {"setCanaryScale": {"matchTrafficWeight": True}},
        ]
    ),
)
LIMITS = st.sampled_from(
    [{}, {"analysis": ANALYSIS}, {"maxSurge": 0, "maxUnavailable": 1}, {"maxSurge": 1, "maxUnavailable": 0}]
)
ROUTING = st.sampled_from(
    [{}, {"dynamicStableScale": True}, {"abortScaleDownDelaySeconds": 0}, {"minPodsPerReplicaSet": 2}]
)
GREEN = st.sampled_from(
    [
        {},
        {"prePromotionAnalysis": ANALYSIS, "postPromotionAnalysis": ANALYSIS},
        {"autoPromotionEnabled": False},
        {"autoPromotionSeconds": 20},
        {"previewReplicaCount": 1},
    ]
)
STRATEGIES: st.SearchStrategy[Obj] = st.one_of(
    st.builds(lambda steps, limits: canary(*steps, **limits), st.lists(STEP, max_size=4), LIMITS),
    st.builds(lambda steps, more: routed(*steps, **more), st.lists(ROUTED_STEP, max_size=4), ROUTING),
    st.builds(lambda fields: blue_green(**fields), GREEN),
)


def promotion(world: World) -> Obj:
    """What the kubectl plugin writes: after an inconclusive verdict it takes the next step as well."""
    judged = any("Inconclusive" in one["reason"] for one in world.status.get("pauseConditions") or ())
    if not judged:
        return {"pauseConditions": None}
    steps = world.rollout["spec"]["strategy"].get("canary", {}).get("steps")
    step = {"currentStepIndex": world.status.get("currentStepIndex", 0) + 1} if steps else {}
    return {"pauseConditions": None, "controllerPause": False, **step}


class Histories(RuleBasedStateMachine):
    world: World

    @initialize(strategy=STRATEGIES, replicas=COUNTS)
    def begin(self, strategy: Obj, replicas: int) -> None:
        self.world = World.of(strategy, replicas=replicas)
        self.world.templates[WORKS] = TEMPLATE
        self.world.objects[STABLE_INGRESS] = ingress("test")
        self.world.objects[STABLE_INGRESS]["metadata"]["resourceVersion"] = "1"
        self.world.settle()

    @property
    def replicas(self) -> int:
        return int(self.world.rollout["spec"]["replicas"])

    @property
    def by_pods(self) -> bool:
        spec = self.world.rollout["spec"]["strategy"]
        return "canary" in spec and "trafficRouting" not in spec["canary"]

    @property
    def may_have_none(self) -> bool:
        """The one pod may be missing while it is replaced; a paused Rollout makes no ReplicaSet that was deleted."""
        spec = self.world.rollout["spec"]
        return (spec["strategy"].get("canary", {}).get("maxSurge") == 0 and self.replicas == 1) or spec.get(
            "paused", False
        )

    def totals(self) -> tuple[int, int]:
        sets = self.world.sets.values()
        return sum(one["spec"]["replicas"] for one in sets), sum(one["status"]["availableReplicas"] for one in sets)

    @rule()
    def one_pass(self) -> None:
        world, (desired, available) = self.world, self.totals()
        services = dict(world.services)
        world.step()
        assert world.phase != "Degraded" or "InvalidSpec" not in world.status["message"]
        after_desired, after_available = self.totals()
        assert after_desired > 0 or self.may_have_none, "everything was scaled to zero"
        if self.by_pods:
            fields = world.rollout["spec"]["strategy"]["canary"]
            limits = bounds(self.replicas, fields.get("maxSurge"), fields.get("maxUnavailable"))
            assert after_desired <= max(desired, self.replicas + limits.surge)
            assert after_available >= min(available, self.replicas - limits.unavailable)
        for name, service in world.services.items():
            if service.hash != services[name].hash and name in {"stable", "canary", "active"}:
                assert world.available(service.hash) > 0, f"{name} was switched to nothing"
        if world.weight:
            assert world.available(world.services["canary"].hash) > 0, "weight without pods"
            assert world.status["canary"]["weights"]["canary"]["podTemplateHash"] == world.services["canary"].hash

    @rule(version=VERSIONS)
    def somebody_pushes(self, version: str) -> None:
        self.world.push(version)

    @rule(replicas=COUNTS)
    def somebody_scales(self, replicas: int) -> None:
        self.world.spec(replicas=replicas)

    @rule(patch=st.sampled_from([{"abort": True}, {"abort": False}, {"promoteFull": True}, {"pauseConditions": None}]))
    def somebody_commands(self, patch: Obj) -> None:
        self.world.patch_status(patch)

    @precondition(lambda self: self.world.runs)
    @rule(data=st.data(), phase=st.sampled_from([Phase.RUNNING, *VERDICTS]))
    def an_analysis_is_judged(self, data: st.DataObject, phase: Phase) -> None:
        self.judge(data.draw(st.sampled_from(sorted(self.world.runs))), phase)

    def judge(self, name: str, phase: Phase) -> None:
        """A verdict is the last word of a run."""
        run = self.world.runs[name]
        if not run.phase.completed:
            self.world.runs[name] = replace(run, phase=phase)

    @rule(paused=st.booleans())
    def somebody_pauses(self, paused: bool) -> None:
        self.world.spec(paused=paused)

    @rule(data=st.data(), count=st.integers(0, 5))
    def some_pods_come_up(self, data: st.DataObject, count: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.world.sets)))
        self.world.become_available(name, count)

    @rule(data=st.data())
    def a_pod_is_lost(self, data: st.DataObject) -> None:
        status = self.world.sets[data.draw(st.sampled_from(sorted(self.world.sets)))]["status"]
        for field in ("readyReplicas", "availableReplicas"):
            status[field] = max(0, status[field] - 1)

    @rule(data=st.data())
    def all_pods_of_one_are_lost(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.world.sets)))
        self.world.sets[name]["status"] |= {"readyReplicas": 0, "availableReplicas": 0}

    @rule()
    def pods_come_up_and_all_is_done_that_can_be(self) -> None:
        self.world.settle()

    @precondition(lambda self: len(self.world.sets) > 1)
    @rule(data=st.data())
    def somebody_deletes_a_replica_set(self, data: st.DataObject) -> None:
        stable = f"web-{self.world.status.get('stableRS')}"
        idle = sorted(name for name in self.world.sets if name != stable)
        if idle:
            del self.world.sets[data.draw(st.sampled_from(idle))]

    @rule(seconds=st.sampled_from([1, 31, 700]))
    def time_passes(self, seconds: int) -> None:
        self.world.pass_time(seconds)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        world.spec(paused=False)
        for _ in range(16):
            world.settle()
            world.patch_status(promotion(world))
            for name in world.runs:
                self.judge(name, Phase.SUCCESSFUL)
            world.pass_time(120)
        world.settle()
        assert world.phase == ("Degraded" if world.status.get("abort") else "Healthy"), world.status
        stable = world.status["stableRS"]
        assert world.pods(stable) == self.replicas
        assert world.available(stable) == self.replicas


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=150,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Part.explicit, Part.generate),  # shrinking takes minutes; a history is readable as it is
    report_multiple_bugs=False,
)
