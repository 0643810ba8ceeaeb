"""Before anything is applied: would something be refused for certain? Then nothing is applied at all.

In: the waves of a sync. Out: failed outcomes, one for each object that can't be applied. That the cluster does not
know a kind is found without a call. A server-side dry run of every object is made where it is worth its calls: in a
sync of several waves or phases, which would stop half-way. Only what the API server says of the object itself counts
(it is invalid); what may be otherwise by the time the object is applied (a missing namespace, quota, webhook, account)
is left to the applying. Never: hooks' objects, which are made anew, or what is to be replaced.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from services.reconciler.compare import FIELD_MANAGER
from services.reconciler.desired import Target
from services.reconciler.outcome import Outcome
from services.reconciler.plan import Wave, provides
from services.reconciler.ways import Way, way_of
from services.reconciler.write import Writing
from shared.kinds.options import sync_options
from shared.kinds.refs import GVK
from shared.kube import ApiError, BadRequest, Invalid, KubeError, UnknownKind

Obj = dict[str, Any]


async def preflight(writing: Writing, waves: Sequence[Wave]) -> list[Outcome]:
    """Give what is bound to fail."""
    brought = {provides(target.obj) for wave in waves for target in wave.targets}
    places = [(wave.phase, target) for wave in waves for target in wave.targets if own_ground(target, brought)]
    unknown = await asyncio.gather(*(unknown_kind(writing, *place) for place in places))
    failed = [outcome for outcome in unknown if outcome]
    if failed or len(waves) < 2 or writing.dry_run:
        return failed
    tried = [place for place in places if worth_a_try(writing, place[1])]
    return [outcome for outcome in await asyncio.gather(*(refusal(writing, *place) for place in tried)) if outcome]


def own_ground(target: Target, brought: set[tuple[str, ...]]) -> bool:
    """Tell whether neither its kind nor its namespace comes with the same sync."""
    return not brought & {("kind", target.key.group, target.key.kind), ("namespace", target.key.namespace)}


def way(writing: Writing, target: Target) -> Way:
    return way_of(target.obj, writing.options, force=writing.force, former=writing.former)


def worth_a_try(writing: Writing, target: Target) -> bool:
    """Tell whether a dry run of an object says what applying it will say."""
    if target.hooks or writing.settled(target.key):
        return False
    own = way(writing, target)
    return not own.replace and not own.recreate


async def unknown_kind(writing: Writing, phase: str, target: Target) -> Outcome | None:
    """Give the failure of an object whose kind the cluster does not have."""
    if sync_options(writing.options, target.obj).get("SkipDryRunOnMissingResource") == "true":
        return None
    try:
        await writing.destination.resource(GVK.of(target.obj))
    except UnknownKind as error:
        return Outcome(target.key, target.version, "SyncFailed", error.message, phase, retriable=True)
    except KubeError:
        return None
    return None


async def refusal(writing: Writing, phase: str, target: Target) -> Outcome | None:
    """Give the failure of an object that the API server finds invalid."""
    validation = way(writing, target).validation
    try:
        await writing.destination.apply(target.obj, manager=FIELD_MANAGER, dry_run=True, validation=validation)
    except ApiError as error:
        if isinstance(error, Invalid | BadRequest) and "admission webhook" not in error.message:
            return Outcome(target.key, target.version, "SyncFailed", f"{error.message} (dry run)", phase)
    except KubeError:
        return None
    return None
