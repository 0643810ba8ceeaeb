"""What a sync was asked to do: `operation` of an Application, or the reconciler's own automated one. Pure."""

from dataclasses import dataclass, field
from typing import Any

from shared.kinds.durations import seconds
from shared.kinds.options import as_entries, sync_options
from shared.kinds.refs import ResourceKey

Obj = dict[str, Any]
DEFAULT_LIMIT = 5


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """One sync. `resources` empty: all. `revisions` and `sources` empty: those of the spec. `manifests`: what is
    brought instead of what the sources have. `refresh`: a retry resolves the revision anew. `operation` is its form in
    the object.
    """

    operation: Obj
    revisions: tuple[str, ...] = ()
    sources: tuple[Obj, ...] = ()
    prune: bool = False
    dry_run: bool = False
    resources: tuple[Obj, ...] = ()
    options: dict[str, str] = field(default_factory=dict)
    manifests: tuple[str, ...] = ()
    limit: int = 0
    duration: float = 5.0
    factor: float = 2.0
    longest: float = 180.0
    refresh: bool = False

    @property
    def automated(self) -> bool:
        """Whether the reconciler started it."""
        return bool((self.operation.get("initiatedBy") or {}).get("automated"))

    @property
    def selective(self) -> bool:
        """Whether only some objects are to be synced."""
        return bool(self.resources)

    @property
    def without_hooks(self) -> bool:
        """Whether the strategy is `apply`: hooks are skipped."""
        return "apply" in ((self.operation.get("sync") or {}).get("syncStrategy") or {})

    @property
    def entries(self) -> list[str]:
        """The options as an Application writes them."""
        return as_entries(self.options)

    @property
    def force(self) -> bool:
        """Whether what can't be changed may be deleted and made again: the strategy's `force`."""
        strategy = (self.operation.get("sync") or {}).get("syncStrategy") or {}
        return any((strategy.get(name) or {}).get("force") for name in ("apply", "hook"))

    def selects(self, key: ResourceKey) -> bool:
        """Tell whether an object is among those asked for."""
        return not self.resources or any(_matches(one, key) for one in self.resources)

    def pause(self, attempt: int) -> float:
        """Seconds to wait before retry number `attempt`, counted from 0."""
        return min(self.longest, self.duration * self.factor ** min(attempt, 60))

    def retries(self, attempt: int) -> bool:
        """Tell whether retry number `attempt`, counted from 0, is allowed. A negative limit: always."""
        return self.limit < 0 or attempt < self.limit


def _matches(resource: Obj, key: ResourceKey) -> bool:
    same = (resource.get("group") or "", resource.get("kind"), resource.get("name")) == (key.group, key.kind, key.name)
    return same and resource.get("namespace") in (None, "", key.namespace)


def duration(text: Any, default: float) -> float:
    """Read a Go duration in seconds; the default where it can't be read."""
    try:
        return seconds(str(text)) if text else default
    except ValueError:
        return default


def from_operation(operation: Obj, spec: Obj) -> SyncRequest:
    """Read the `operation` field; options of the operation win over those of the spec."""
    sync = operation.get("sync") or {}
    policy = spec.get("syncPolicy") or {}
    retry = operation.get("retry") or {}
    backoff = retry.get("backoff") or {}
    return SyncRequest(
        operation,
        revisions=tuple(sync.get("revisions") or ([sync["revision"]] if sync.get("revision") else [])),
        sources=tuple(sync.get("sources") or ([sync["source"]] if sync.get("source") else [])),
        prune=bool(sync.get("prune")),
        dry_run=bool(sync.get("dryRun")),
        resources=tuple(sync.get("resources") or ()),
        options=sync_options([*(policy.get("syncOptions") or ()), *(sync.get("syncOptions") or ())]),
        manifests=tuple(map(str, sync.get("manifests") or ())),
        limit=int(retry.get("limit") or 0),
        duration=duration(backoff.get("duration"), 5.0),
        factor=float(backoff.get("factor") or 2),
        longest=duration(backoff.get("maxDuration"), 180.0),
        refresh=bool(retry.get("refresh")),
    )


def automated(spec: Obj, revisions: tuple[str, ...], keys: tuple[ResourceKey, ...] | None, heals: int) -> SyncRequest:
    """Give the sync that the policy asks for: everything, or the objects of `keys` when it heals."""
    policy = spec.get("syncPolicy") or {}
    sync: Obj = {"prune": True} if (policy.get("automated") or {}).get("prune") else {}
    sync |= {"revisions": list(revisions)} if spec.get("sources") else {"revision": (*revisions, "")[0]}
    if keys is not None:
        sync["resources"] = [_selector(key) for key in keys]
        sync["autoHealAttemptsCount"] = heals
    if policy.get("syncOptions"):
        sync["syncOptions"] = policy["syncOptions"]
    retry = policy.get("retry") or {"limit": DEFAULT_LIMIT}
    return from_operation({"initiatedBy": {"automated": True}, "retry": retry, "sync": sync}, spec)


def _selector(key: ResourceKey) -> Obj:
    """Name one object, with its namespace: Argo CD leaves that out and so heals namesakes too (spec 2.8)."""
    parts = {"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name}
    return {name: value for name, value in parts.items() if value}
