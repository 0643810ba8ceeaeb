"""Asking every configured router, and writing what differs: one write for each changed object.

The only I/O of traffic routing. All routers plan before anything is written, so that one that can't route changes
nothing of another.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from services.rollout_manager.keys import Obj, Ref, ref_of
from services.rollout_manager.labels import FIELD_MANAGER
from services.rollout_manager.objects import Objects
from services.rollout_manager.traffic import Plan, Routed, Router, Unroutable
from shared.kinds.rollout import Rollout
from shared.kube import AlreadyExists, NotFound, UnknownKind, verbs
from shared.merge import merge_patch_between


async def read(objects: Objects, rollout: Rollout, routers: tuple[Router, ...]) -> dict[Ref, Obj | None]:
    """Everything that the routers read. Raises Unroutable when the cluster does not know a kind."""
    found = {ref: await _get(objects, ref) for ref in reads(routers, rollout)}
    return found | {ref: await _get(objects, ref) for ref in follows(routers, found, rollout) if ref not in found}


def reads(routers: tuple[Router, ...], rollout: Rollout) -> list[Ref]:
    """What the routers read first. Pure. Raises Unroutable."""
    return _distinct(routers, lambda router: router.reads(rollout))


def follows(routers: tuple[Router, ...], found: Mapping[Ref, Obj | None], rollout: Rollout) -> list[Ref]:
    """What they read then. Pure. Raises Unroutable."""
    return _distinct(routers, lambda router: router.follows(found, rollout))


def _distinct(routers: tuple[Router, ...], refs: Callable[[Router], tuple[Ref, ...]]) -> list[Ref]:
    found: dict[Ref, None] = {}
    for router in routers:
        with _of_any_shape(router):
            found |= dict.fromkeys(refs(router))
    return list(found)


@contextmanager
def _of_any_shape(router: Router) -> Iterator[None]:
    """The edge of what others wrote: a definition may let everything pass, and one odd route stops one Rollout."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        what = f"{router.name}: an object that it reads, or its configuration, has not the shape of its kind"
        raise Unroutable(f"{what} ({type(error).__name__}: {error})") from error


async def _get(objects: Objects, ref: Ref) -> Obj | None:
    try:
        return await objects.get(ref)
    except UnknownKind as error:
        raise Unroutable(f"the cluster knows no {ref.kind} of {ref.group}: is its CRD installed?") from error


def route(routers: tuple[Router, ...], live: Mapping[Ref, Obj | None], rollout: Rollout, plan: Plan) -> Routed:
    """What all routers together want; a later one sees what an earlier one wants of the same object. Pure."""
    seen = dict(live)
    wanted: dict[Ref, Obj] = {}
    unwanted: list[Ref] = []
    for router in routers:
        with _of_any_shape(router):
            routed = router.route(seen, rollout, plan)
            wanted |= {ref_of(obj): obj for obj in routed.wanted}
        unwanted += routed.unwanted
        seen |= wanted
    return Routed(tuple(wanted.values()), tuple(unwanted))


async def write(objects: Objects, live: Mapping[Ref, Obj | None], routed: Routed) -> int:
    """Write what differs; gives how many writes that took. Raises ApiError."""
    done = 0
    for obj in routed.wanted:
        done += await _write(objects, live.get(ref_of(obj)), obj)
    for ref in routed.unwanted:
        found = live.get(ref)
        done += await _delete(objects, ref, found) if found is not None else 0
    return done


async def _write(objects: Objects, live: Obj | None, wanted: Obj) -> int:
    ref = ref_of(wanted)
    resource = await objects.discovery.resource(ref.group, ref.kind)
    if live is None:
        try:
            made = await verbs.create(objects.cluster, resource, wanted, manager=FIELD_MANAGER)
        except AlreadyExists:
            made = await verbs.get(objects.cluster, resource, ref.namespace, ref.name)
        (await objects.watch(ref.group, ref.kind)).note(made)
        return 1
    patch = merge_patch_between(live, carried(live, wanted))
    if not patch:
        return 0
    patch.setdefault("metadata", {})["resourceVersion"] = live["metadata"]["resourceVersion"]
    written = await verbs.patch(objects.cluster, resource, ref.namespace, ref.name, patch, manager=FIELD_MANAGER)
    if not objects.namespace or ref.namespace == objects.namespace:
        (await objects.watch(ref.group, ref.kind)).note(written)
    return 1


def carried(live: Obj, wanted: Obj) -> Obj:
    """What a router made from nothing lacks what the API server and others added: metadata and status stay.

    Of metadata a router decides labels and annotations, and those it does not name stay too. A router that takes an
    annotation away starts from a copy of the live object.
    """
    if "resourceVersion" in (wanted.get("metadata") or {}):
        return wanted
    metadata = dict(live["metadata"])
    for field in ("labels", "annotations"):
        merged = {**(metadata.get(field) or {}), **(wanted["metadata"].get(field) or {})}
        metadata |= {field: merged} if merged else {}
    status = {"status": live["status"]} if "status" in live else {}
    return {**wanted, "apiVersion": live["apiVersion"], "metadata": metadata, **status}


async def _delete(objects: Objects, ref: Ref, live: Obj) -> int:
    resource = await objects.discovery.resource(ref.group, ref.kind)
    try:
        await verbs.delete(objects.cluster, resource, ref.namespace, ref.name, uid=live["metadata"]["uid"])
    except NotFound:
        return 0
    return 1
