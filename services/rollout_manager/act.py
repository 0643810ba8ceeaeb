"""Doing what was decided, in the order that hurts nobody: more pods, Services, traffic, runs, then fewer pods.

Each write that fails ends the pass with its ApiError: what comes later in the order is not done, the status is not
written, and the next pass begins from what is there. What a write returns is noted at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.rollout_manager.actions import Decision, PodMetadata, SetChange
from services.rollout_manager.keys import Obj, Ref, RolloutKey
from services.rollout_manager.labels import EPHEMERAL_METADATA, FIELD_MANAGER, HASH, MANAGED_BY
from services.rollout_manager.objects import Watch
from services.rollout_manager.observed import Observed, ReplicaSet
from services.rollout_manager.parts import Parts
from services.rollout_manager.release import let_go
from services.rollout_manager.replicaset import hash_of, written
from services.rollout_manager.traffic import apply as traffic
from shared.kube import AlreadyExists, NotFound, Resource, TooManyRequests, verbs


class Collision(Exception):
    """Another object has the name of the ReplicaSet to be made."""


@dataclass(frozen=True)
class Acting:
    """One pass's writes."""

    parts: Parts
    key: RolloutKey
    seen: Observed

    async def patch(self, watch: Watch | None, resource: Resource, name: str, body: Obj, **options: Any) -> Obj:
        done = await verbs.patch(
            self.parts.cluster, resource, self.key.namespace, name, body, manager=FIELD_MANAGER, **options
        )
        if watch is not None:
            watch.note(done)
        return done


async def act(acting: Acting, decision: Decision) -> None:
    """Raises ApiError, Collision."""
    up, down = sorted_changes(acting.seen, decision.changes)
    for made in decision.create:
        await _create_set(acting, made)
    await _change(acting, up)
    for name, hash_ in decision.services.items():
        await _switch(acting, name, hash_)
    for name in decision.let_go:
        await let_go(acting.parts, acting.key.namespace, name)
    await traffic.write(acting.parts.objects, acting.seen.live, decision.routed)
    await _runs(acting, decision)
    await _change(acting, down)
    for one in decision.pods:
        await _pods(acting, one)
    for name in decision.evict:
        await _evict(acting, name)
    if decision.workload is not None:
        await _scale_workload(acting, *decision.workload)
    for replaced in decision.delete:
        await _delete(acting, acting.parts.replica_sets.informer.resource, replaced.name, replaced.uid)


Changes = Mapping[str, SetChange]


def sorted_changes(seen: Observed, changes: Changes) -> tuple[Changes, Changes]:
    """Those that make more pods or none fewer, and those that make fewer."""
    desired = {one.name: one.desired for one in seen.sets}
    less = {name for name, one in changes.items() if one.replicas is not None and one.replicas < desired[name]}
    return (
        {name: one for name, one in changes.items() if name not in less},
        {name: one for name, one in changes.items() if name in less},
    )


async def _create_set(acting: Acting, made: Obj) -> None:
    watch = acting.parts.replica_sets
    try:
        done = await verbs.create(acting.parts.cluster, watch.informer.resource, made, manager=FIELD_MANAGER)
    except AlreadyExists as error:
        name = made["metadata"]["name"]
        there = await verbs.get(acting.parts.cluster, watch.informer.resource, acting.key.namespace, name)
        owners = there["metadata"].get("ownerReferences") or ()
        ours = any(owner.get("uid") == acting.seen.rollout.metadata.uid for owner in owners)
        if not ours or hash_of(there) != acting.seen.hash:
            raise Collision(name) from error
        done = there
    watch.note(done)


async def _change(acting: Acting, changes: Changes) -> None:
    watch = acting.parts.replica_sets
    for name, change in changes.items():
        spec = {"replicas": change.replicas, "minReadySeconds": change.min_ready_seconds}
        body: Obj = {"spec": {field: value for field, value in spec.items() if value is not None}}
        if change.pod:
            body["spec"]["template"] = {"spec": change.pod}
        metadata = {"annotations": dict(change.annotations), "labels": dict(change.labels)}
        body["metadata"] = {field: values for field, values in metadata.items() if values}
        await acting.patch(watch, watch.informer.resource, name, body)


async def _switch(acting: Acting, name: str, hash_: str) -> None:
    body = {
        "metadata": {"annotations": {MANAGED_BY: acting.seen.rollout.metadata.name}},
        "spec": {"selector": {HASH: hash_}},
    }
    watch = acting.parts.services
    await acting.patch(watch, watch.informer.resource, name, body)


async def _runs(acting: Acting, decision: Decision) -> None:
    for watch, start, stop, remove in (
        (acting.parts.runs, decision.start_runs, decision.stop_runs, decision.delete_runs),
        (acting.parts.experiments, decision.start_experiments, decision.stop_experiments, decision.delete_experiments),
    ):
        resource = watch.informer.resource
        for made in start:
            try:
                watch.note(await verbs.create(acting.parts.cluster, resource, made, manager=FIELD_MANAGER))
            except AlreadyExists:
                continue
        for name in stop:
            await acting.patch(watch, resource, name, {"spec": {"terminate": True}})
        for name in remove:
            await _delete(acting, resource, name, None)


async def _delete(acting: Acting, resource: Resource, name: str, uid: str | None) -> None:
    try:
        await verbs.delete(acting.parts.cluster, resource, acting.key.namespace, name, uid=uid)
    except NotFound:
        return


async def _pods(acting: Acting, change: PodMetadata) -> None:
    """First the template, for pods to come; then the pods that are there; last what is remembered of it, so that a
    pass that was cut off does it again.
    """
    watch, metadata = acting.parts.replica_sets, difference(change)
    resource = watch.informer.resource
    await acting.patch(watch, resource, change.set.name, {"spec": {"template": {"metadata": metadata}}})
    pods = await acting.parts.discovery.resource("", "Pod")
    for pod in await pods_of(acting.parts, pods, acting.key.namespace, change.set):
        try:
            await acting.patch(None, pods, pod["metadata"]["name"], {"metadata": metadata})
        except NotFound:
            continue
    remembered = {EPHEMERAL_METADATA: written(change.after) if change.after else None}
    await acting.patch(watch, resource, change.set.name, {"metadata": {"annotations": remembered}})


def difference(change: PodMetadata) -> Obj:
    """The merge patch of a pod's metadata."""
    return {
        name: dict.fromkeys(change.before.get(name, {})) | dict(change.after.get(name, {}))
        for name in ("labels", "annotations")
        if change.before.get(name) or change.after.get(name)
    }


async def pods_of(parts: Parts, pods: Resource, namespace: str, one: ReplicaSet) -> list[Obj]:
    found = await verbs.list_(parts.cluster, pods, namespace, label_selector=f"{HASH}={one.hash}")
    return [
        pod
        for pod in found
        if any(owner.get("uid") == one.uid for owner in pod["metadata"].get("ownerReferences") or ())
    ]


async def _evict(acting: Acting, name: str) -> None:
    """A disruption budget may say: later."""
    pods = await acting.parts.discovery.resource("", "Pod")
    metadata = {"name": name, "namespace": acting.key.namespace}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
    try:
        await verbs.create(acting.parts.cluster, pods, eviction, subresource="eviction", name=name)
    except (NotFound, TooManyRequests):
        return


async def _scale_workload(acting: Acting, ref: Ref, replicas: int) -> None:
    resource = await acting.parts.discovery.resource(ref.group, ref.kind)
    try:
        await acting.patch(None, resource, ref.name, {"spec": {"replicas": replicas}})
    except NotFound:
        return
