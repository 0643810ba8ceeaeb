"""Labels, annotations and templates of ReplicaSets; the metadata of roles; how many of what is over are kept."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from services.rollout_manager.actions import PodMetadata
from services.rollout_manager.analysis import Phase, Run
from services.rollout_manager.decide import decide
from services.rollout_manager.experiments import SeenExperiment
from services.rollout_manager.labels import HASH
from services.rollout_manager.replicaset import original_template
from shared.clock import rfc3339
from tests.rollout.rollouts import Obj, blue_green, canary, ingress, routed
from tests.rollout.world import STABLE_INGRESS, World

PREFERRED, REQUIRED = (f"{how}DuringSchedulingIgnoredDuringExecution" for how in ("preferred", "required"))
TERM: Obj = {
    "labelSelector": {"matchExpressions": [{"key": HASH, "operator": "In", "values": ["v1"]}]},
    "namespaces": ["test"],
    "topologyKey": "kubernetes.io/hostname",
}


def deployed(strategy: Obj, **spec: Any) -> World:
    world = World.of(strategy, **{"replicas": 2, **spec})
    world.objects[STABLE_INGRESS] = ingress("test")
    world.objects[STABLE_INGRESS]["metadata"]["resourceVersion"] = "1"
    world.settle()
    assert world.phase == "Healthy"
    return world


def test_a_replica_set_is_made_as_argo_rollouts_makes_it() -> None:
    world = World.of(canary(), replicas=3, minReadySeconds=7)
    kept = {"team": "shop", "tiphys.dev/delivery": "d1"}
    left = {
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "rollout.argoproj.io/revision": "41",
        "rollout.argoproj.io/revision-history": "40",
        "rollout.argoproj.io/desired-replicas": "9",
        "notified.notifications.argoproj.io": "{}",
    }
    world.rollout["metadata"]["annotations"] = {**kept, **left}
    [made] = decide(world.observed()).create
    metadata, spec = made["metadata"], made["spec"]
    assert (metadata["name"], metadata["labels"]) == ("web-v1", {"app": "web", HASH: "v1"})
    own = {"rollout.argoproj.io/revision": "1", "rollout.argoproj.io/desired-replicas": "3"}
    assert metadata["annotations"] == kept | own
    [owner] = metadata["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("Rollout", "uid-of-web", True)
    assert (spec["minReadySeconds"], spec["selector"]) == (7, {"matchLabels": {"app": "web", HASH: "v1"}})
    assert spec["template"]["metadata"]["labels"] == {"app": "web", HASH: "v1"}


def test_seconds_to_be_ready_reach_the_replica_set_that_is_there() -> None:
    world = deployed(canary(), minReadySeconds=7)
    world.spec(minReadySeconds=9)
    change = decide(world.observed()).changes["web-v1"]
    assert change.min_ready_seconds == 9


def test_every_replica_set_with_a_role_knows_how_many_pods_are_wanted() -> None:
    world = deployed(canary({"setWeight": 50}, {"pause": {}}))
    world.push("v2")
    world.settle()
    world.spec(replicas=4)
    world.settle()
    wanted = [one["metadata"]["annotations"]["rollout.argoproj.io/desired-replicas"] for one in world.sets.values()]
    assert wanted == ["4", "4"]


@pytest.mark.parametrize("strategy", ["canary", "blueGreen"])
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({PREFERRED: {"weight": 7}}, {PREFERRED: [{"weight": 7, "podAffinityTerm": TERM}]}),
        ({REQUIRED: {}}, {REQUIRED: [TERM]}),
    ],
)
def test_new_pods_keep_off_the_nodes_of_stable_ones(strategy: str, rule: Obj, expected: Obj) -> None:
    rules = {"canary": canary({"pause": {}}, antiAffinity=rule), "blueGreen": blue_green(antiAffinity=rule)}
    world = deployed(rules[strategy])
    assert "affinity" not in world.sets["web-v1"]["spec"]["template"]["spec"]
    world.push("v2")
    [made] = decide(world.observed()).create
    assert made["spec"]["template"]["spec"]["affinity"] == {"podAntiAffinity": expected}
    assert "affinity" not in original_template(made)["spec"]


ROLES: list[tuple[Obj, str, str]] = [
    (canary({"pause": {}}), "stableMetadata", "canaryMetadata"),
    (blue_green(autoPromotionEnabled=False), "activeMetadata", "previewMetadata"),
]


@pytest.mark.parametrize(("strategy", "stable", "new"), ROLES, ids=["canary", "blueGreen"])
def test_pods_are_made_with_the_metadata_of_their_role(strategy: Obj, stable: str, new: str) -> None:
    """Those of a first deployment will be the stable ones: never for a moment are they anything else."""
    roles = {stable: {"labels": {"role": "stable"}}, new: {"labels": {"role": "new"}, "annotations": {"a": "b"}}}
    [(kind, fields)] = strategy.items()
    world = World.of({kind: {**fields, **roles}}, replicas=2)
    first = world.step()
    written = "rollout.argoproj.io/ephemeral-metadata"
    metadata = first.create[0]["spec"]["template"]["metadata"]
    assert (metadata["labels"]["role"], "annotations" in metadata) == ("stable", False)
    assert orjson.loads(first.create[0]["metadata"]["annotations"][written]) == roles[stable]
    decision = world.step()
    assert decision.pods == ()
    world.settle()
    world.push("v2")
    [made] = decide(world.observed()).create
    template = made["spec"]["template"]["metadata"]
    assert (template["labels"]["role"], template["annotations"]) == ("new", {"a": "b"})
    assert orjson.loads(made["metadata"]["annotations"][written]) == roles[new]
    assert "role" not in original_template(made)["metadata"]["labels"]


def test_metadata_of_a_role_that_is_over_is_taken_away() -> None:
    world = deployed(canary({"setWeight": 50}, {"pause": {}}, canaryMetadata={"labels": {"role": "canary"}}))
    world.push("v2")
    world.settle()
    world.patch_status({"promoteFull": True})
    changes: list[PodMetadata] = []
    for _ in range(6):
        changes += world.step().pods
        for name in world.sets:
            world.become_available(name)
    one = changes[0]
    assert (one.set.name, dict(one.before), dict(one.after)) == ("web-v2", {"labels": {"role": "canary"}}, {})


def test_a_revision_limit_ends_the_delay_of_a_canarys_older_versions() -> None:
    world = deployed(routed(scaleDownDelaySeconds=600, scaleDownDelayRevisionLimit=1))
    for version in ("v2", "v3"):
        world.pass_time(5)
        world.push(version)
        world.settle()
    assert (world.pods("v3"), world.pods("v2"), world.pods("v1")) == (2, 2, 0)


@pytest.mark.parametrize("delay", [None, 45])
def test_an_aborted_canary_behind_a_router_goes_after_its_delay(delay: int | None) -> None:
    fields = {} if delay is None else {"abortScaleDownDelaySeconds": delay}
    world = deployed(routed({"setWeight": 50}, {"pause": {}}, **fields))
    world.push("v2")
    world.settle()
    world.patch_status({"abort": True})
    world.settle()
    assert world.sets["web-v2"]["metadata"]["annotations"]["scale-down-deadline"]
    world.pass_time((delay or 30) - 1)
    world.settle()
    assert world.pods("v2") == 1
    world.pass_time(2)
    world.settle()
    assert world.pods("v2") == 0


def ended(number: int, phase: Phase, hash_: str = "v1") -> Run:
    return Run(
        name=f"run-{9 - number}",
        uid=f"u{number}",
        type="Step",
        step="0",
        hash=hash_,
        phase=phase,
        created=f"2026-01-01T00:00:0{number}Z",
    )


@pytest.mark.parametrize("phase", [Phase.SUCCESSFUL, Phase.FAILED, Phase.ERROR, Phase.INCONCLUSIVE])
def test_the_last_runs_and_experiments_of_each_end_are_kept(phase: Phase) -> None:
    limit = {"successfulRunHistoryLimit": 2, "unsuccessfulRunHistoryLimit": 1}
    world = deployed(canary(), analysis=limit)
    runs = [ended(number, phase) for number in range(4)]
    experiments = tuple(SeenExperiment(run.name, run.uid, "v1", "0", phase, created=run.created) for run in runs)
    seen = replace(world.observed(), runs=tuple(runs), experiments=experiments)
    decision = decide(seen)
    gone = ["run-8", "run-9"] if phase is Phase.SUCCESSFUL else ["run-7", "run-8", "run-9"]
    assert (sorted(decision.delete_runs), sorted(decision.delete_experiments)) == (gone, gone)


def test_runs_go_with_the_replica_set_that_they_judged() -> None:
    world = deployed(canary())
    seen = replace(world.observed(), runs=(ended(1, Phase.SUCCESSFUL), ended(2, Phase.SUCCESSFUL, "long-gone")))
    assert decide(seen).delete_runs == ("run-7",)


def test_services_that_are_named_no_more_are_let_go() -> None:
    world, claimed = deployed(blue_green()), frozenset({"old", "active"})
    assert decide(replace(world.observed(), claimed=claimed)).let_go == ("old",)
    world.spec(strategy={**canary(), **blue_green()})
    assert decide(replace(world.observed(), claimed=claimed)).let_go == ()  # a spec that can't be meant changes nothing


def test_a_restart_waits_for_its_time_and_is_told_until_all_are_new() -> None:
    from services.rollout_manager.observed import Pod

    world = deployed(canary(maxUnavailable=1))
    at = rfc3339(world.now)
    world.pass_time(-60)
    world.spec(restartAt=at)
    assert decide(world.observed()).again == 60
    world.pass_time(61)
    pods = tuple(Pod(f"p{number}", "2025-12-31T00:00:00Z") for number in range(2))
    first = decide(replace(world.observed(), pods=pods))
    assert (first.evict, first.status["message"], first.again) == (("p0",), "rollout is restarting", 5)
    done = decide(world.observed())
    assert (done.status["restartedAt"], done.status["phase"]) == (at, "Healthy")
