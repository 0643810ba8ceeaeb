"""How one object is written or pruned.

In: a target or a key, and what the sync says of all its objects (`Writing`). Out: an `Outcome`; an error of the API
server is one too. Never: the order of things, or whether something is to be synced at all.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from services.reconciler.compare import FIELD_MANAGER
from services.reconciler.desired import Target
from services.reconciler.destination import Destination
from services.reconciler.outcome import Outcome
from shared.kinds.refs import ResourceKey
from shared.kube import KubeError


@dataclass(frozen=True, slots=True)
class Writing:
    """What holds for all writes of one sync. `settled` tells of an object whether it is known to be as wanted."""

    destination: Destination
    dry_run: bool = False
    propagation: str = "Foreground"
    settled: Callable[[ResourceKey], bool] = lambda _key: False


async def apply_one(writing: Writing, target: Target, phase: str = "Sync") -> Outcome:
    """Server-side-apply one object, unless it is known to be so already."""
    version = target.obj["apiVersion"].rpartition("/")[2]
    done = Outcome(target.key, version, "Synced", f"{_named(target.key)} unchanged", phase)
    if writing.settled(target.key):
        return done
    try:
        await writing.destination.apply(target.obj, manager=FIELD_MANAGER, dry_run=writing.dry_run)
    except KubeError as error:
        return replace(done, status="SyncFailed", message=error.message, retriable=error.retriable)
    suffix = " (server dry run)" if writing.dry_run else ""
    return replace(done, message=f"{_named(target.key)} serverside-applied{suffix}")


async def prune_one(writing: Writing, key: ResourceKey) -> Outcome:
    """Delete one object, if it is still the one that was seen."""
    live = writing.destination.live.get(key)
    version = live.api_version.rpartition("/")[2] if live else ""
    done = Outcome(key, version, "Pruned", "pruned (dry run)" if writing.dry_run else "pruned")
    if live is None or writing.dry_run:
        return done
    try:
        await writing.destination.delete(key, uid=live.uid, propagation=writing.propagation)
    except KubeError as error:
        return replace(done, status="SyncFailed", message=error.message, retriable=error.retriable)
    return done


def _named(key: ResourceKey) -> str:
    group = f".{key.group}" if key.group else ""
    return f"{key.kind.lower()}{group}/{key.name}"
