"""What the reconciler remembers of one Application between passes. All of it can be rebuilt from Kubernetes and git.

`dirty` names the objects to compare again (None: all of them); `stale` says that the sources must be resolved and
rendered again.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.reconciler.autosync import Attempt
from services.reconciler.compare import Verdict
from services.reconciler.desired import Condition, Desired
from services.reconciler.heads import Head
from services.reconciler.keys import AppKey
from services.reconciler.rollup import Found
from services.reconciler.ways import FORMER_MANAGER
from shared.kinds.application import Application, InvalidObject, unknown_fields
from shared.kinds.options import annotations_of, unknown_options
from shared.kinds.refs import ResourceKey
from shared.kinds.validation import problems
from shared.kinds.windows import ALLOWED, Permission
from shared.telemetry import get_logger

Obj = dict[str, Any]
log = get_logger()
REFRESH = "argocd.argoproj.io/refresh"


@dataclass(slots=True)
class Rendered:
    """The last good render: what it was made from, and what came out."""

    inputs: str
    digest: str
    heads: tuple[Head, ...]
    source_types: tuple[str, ...]


@dataclass(slots=True)
class Running:
    """A sync that is under way. `task` does it; `state` is what `status.operationState` shows meanwhile.

    `idle`: it writes nothing now, so that another replica may go on with it; `waiting`: nor does a hook of it run (it
    waits for health, or to be retried), so something newer may take its place.
    `admitted`: when the sync windows let it begin. `ended`: when it was done; `yields`: nobody has asked for it,
    and others waited for their turn then.
    """

    state: Obj
    identity: str
    heals: int = 0
    automated: bool = False
    task: asyncio.Task[None] | None = None
    begun: float = field(default_factory=time.monotonic)
    started: bool = False
    idle: bool = False
    waiting: bool = False
    done: bool = False
    ended: float = 0.0
    yields: bool = False
    deployed: bool = False
    admitted: datetime | None = None
    terminate: Callable[[], None] = lambda: None

    @property
    def retries(self) -> int:
        """How many attempts came before this one."""
        return int(self.state.get("retryCount") or 0)

    @property
    def terminated(self) -> bool:
        """Whether someone has asked for its end."""
        return bool(self.state["phase"] == "Terminating")

    def start(self) -> None:
        """It has its turn: until then there is nothing to show but that it waits for one."""
        self.started, self.begun = True, time.monotonic()

    @contextmanager
    def wait(self, hooks: bool = False) -> Iterator[None]:
        """Mark a time in which nothing is written; `hooks`: in which hooks run."""
        self.idle, self.waiting = True, not hooks
        try:
            yield
        finally:
            self.idle = self.waiting = False


@dataclass(slots=True)
class AppState:
    """One Application. `obj` is its newest state as the API server gave it, `problems` what makes it no Application at
    all, `window` what the sync windows say of syncing it unasked; `changed` wakes a sync that waits for news.
    `namespace`: the server and key of the one whose metadata it manages, `drifted`: that is not as wanted.
    """

    key: AppKey
    obj: Obj = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    version: int = 0
    server: str = ""
    stale: bool = True
    hard: bool = False
    refresh: str = ""
    dirty: set[ResourceKey] | None = None
    rendered: Rendered | None = None
    desired: Desired | None = None
    verdicts: dict[ResourceKey, Verdict] = field(default_factory=dict)
    found: dict[ResourceKey, Found] = field(default_factory=dict)
    errors: tuple[Condition, ...] = ()
    shared: tuple[Condition, ...] = ()
    sync_error: str = ""
    unverified: str = ""
    sync_warning: str = ""
    namespace: tuple[str, ResourceKey] | None = None
    drifted: bool = False
    window: Permission = ALLOWED
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    running: Running | None = None
    leaving: asyncio.Task[None] | None = None
    resumed: bool = False
    attempt: Attempt | None = None
    delivery: str = ""
    reported_at: float = 0.0
    failures: int = 0
    retry_at: float | None = None

    @property
    def uid(self) -> str:
        """The object's own identity: a namesake made later is another one."""
        return str((self.obj.get("metadata") or {}).get("uid", ""))

    @property
    def project(self) -> str:
        """The name of its project."""
        spec = self.obj.get("spec")
        return str(spec.get("project") or "default") if isinstance(spec, dict) else "default"

    @property
    def automated(self) -> bool:
        """Whether its policy syncs it without being asked."""
        policy = self.obj["spec"].get("syncPolicy") or {}
        return policy.get("automated") is not None and policy["automated"].get("enabled") is not False

    @property
    def options(self) -> list[str]:
        """The sync options of its policy."""
        return _options(self.obj)

    @property
    def former(self) -> str:
        """A further manager of whom its objects are taken over."""
        return str(annotations_of(self.obj).get(FORMER_MANAGER) or "")

    @property
    def deleting(self) -> bool:
        """Whether someone asked for its deletion."""
        return bool(self.obj["metadata"].get("deletionTimestamp"))

    def take(self, obj: Obj) -> None:
        """Take a newer state of the object, from the watch or from our own write's answer."""
        version = int(obj["metadata"]["resourceVersion"])
        if version < self.version:
            return
        if not self.obj or obj.get("spec") != self.obj.get("spec"):
            self.problems, unknown = read_spec(obj)
            if unknown:
                log.warning("unknown fields are kept, nothing acts on them", app=str(self.key), fields=unknown)
        if self.obj and _options(obj) != _options(self.obj):
            self.verdicts.clear()
            self.touch_all()
        obj["metadata"].pop("managedFields", None)
        self.obj, self.version = obj, version
        self.changed.set()

    def touch(self, key: ResourceKey) -> None:
        """Compare this object again at the next pass."""
        if self.dirty is not None:
            self.dirty.add(key)

    def touch_all(self) -> None:
        """Compare every object again at the next pass."""
        self.dirty = None


def destination_spec(state: AppState) -> Obj:
    """Give `spec.destination`, whatever the spec is."""
    spec = state.obj.get("spec")
    destination = spec.get("destination") if isinstance(spec, dict) else None
    return destination if isinstance(destination, dict) else {}


def _options(obj: Obj) -> list[str]:
    spec = obj.get("spec") or {}
    return list((spec.get("syncPolicy") or {}).get("syncOptions") or ())


def read_spec(obj: Obj) -> tuple[tuple[str, ...], list[str]]:
    """Give what is wrong with an Application's spec, a sentence each, and the fields of it that nobody knows."""
    try:
        app = Application.parse(obj)
    except InvalidObject as error:
        return error.problems, []
    policy = app.spec.sync_policy
    options = unknown_options(policy.sync_options) if policy else []
    strange = [f"spec.syncPolicy.syncOptions: {name}" for name in options]
    return tuple(problems(app)), [*unknown_fields(app.spec, ("spec",)), *strange]
