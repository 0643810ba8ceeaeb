"""Rollouts that another controller began: the same hash of steps and templates, and no step is made again."""

import orjson
import pytest

from services.rollout_manager.fnv import step_hash
from services.rollout_manager.labels import HASH
from shared.clock import now, rfc3339
from shared.engines import pods
from shared.engines.client import Engines
from tests.rollout.managed import Managed, image_of
from tests.rollout.rollouts import Obj, canary, rollout

STEPS: tuple[Obj, ...] = ({"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": 1}})


def test_steps_hash_as_argo_rollouts_hashes_them() -> None:
    assert step_hash([{"pause": {}}, {"pause": {}}]) == "79c9b9f6bf"  # a literal of its own tests
    assert step_hash([{"pause": {}, "setWeight": None}, {"pause": {}}]) == "79c9b9f6bf"
    assert step_hash([]) != step_hash([{"pause": {}}])


def replica_set(owner: Obj, hash_: str, replicas: int, revision: str) -> Obj:
    template = orjson.loads(orjson.dumps(owner["spec"]["template"]))
    template["metadata"]["labels"][HASH] = hash_
    reference = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "name": "web",
        "uid": owner["metadata"]["uid"],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"web-{hash_}",
            "labels": template["metadata"]["labels"],
            "annotations": {"rollout.argoproj.io/revision": revision, "rollout.argoproj.io/desired-replicas": "5"},
            "ownerReferences": [{**reference, "controller": True, "blockOwnerDeletion": True}],
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web", HASH: hash_}},
            "template": template,
        },
    }


@pytest.mark.parametrize("hashing", ["ours", "older release", "unknown"])
async def test_a_canary_is_taken_over_at_its_pause(unmanaged: Managed, engines: Engines, hashing: str) -> None:
    wanted = rollout(canary(*STEPS), replicas=5)
    first = await unmanaged.apply(wanted)
    hashes = []
    for image, replicas, revision in (("v1", 4, "1"), ("v2", 1, "2")):
        first["spec"]["template"]["spec"]["containers"][0]["image"] = image
        template = orjson.dumps(first["spec"]["template"])
        found = await pods.rollout_hash(engines, template, legacy=hashing == "older release")
        hash_ = f"strange{revision}" if hashing == "unknown" else found
        hashes.append(hash_)
        await unmanaged.apply(replica_set(first, hash_, replicas, revision))
    await unmanaged.push("v2")
    status = {
        "currentPodHash": hashes[1],
        "stableRS": hashes[0],
        "currentStepIndex": 1,
        "currentStepHash": step_hash(list(STEPS)),
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": rfc3339(now())}],
        "controllerPause": True,
        "observedGeneration": "2",
        "phase": "Paused",
        "message": "CanaryPauseStep",
    }
    await unmanaged.status(status)
    async with unmanaged.run():
        await unmanaged.until_phase("Paused", currentStepIndex=1, availableReplicas=5)
        assert await unmanaged.counts() == {"v1": 4, "v2": 1}
        await unmanaged.status({"pauseConditions": None})
        done = await unmanaged.until_phase("Healthy")
    assert done["status"]["stableRS"] == hashes[1]
    sets = await unmanaged.list("ReplicaSet")
    assert sorted((image_of(one), one["spec"]["replicas"]) for one in sets) == [("v1", 0), ("v2", 5)]
