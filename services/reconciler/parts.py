"""What the steps of a pass share: connections, indexes, and the memory of every Application. Made once, in app.py."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from services.reconciler.assess import Assessor
from services.reconciler.destinations import Destinations
from services.reconciler.heads import Heads
from services.reconciler.index import InputIndex
from services.reconciler.keys import AppKey
from services.reconciler.membership import Membership
from services.reconciler.orphans import Watch
from services.reconciler.projects import Projects
from services.reconciler.settings import Settings
from services.reconciler.state import AppState
from shared.bus import Bus, Outbox
from shared.engines.client import Engines
from shared.engines.openings import Openings
from shared.kinds.refs import ResourceKey
from shared.kinds.settings import ArgoSettings
from shared.kube import Applications, Cluster, Recorder, Resource, WorkQueue

Obj = dict[str, Any]


@dataclass(slots=True)
class Parts:
    """One reconciler. `argo` holds Argo CD's settings as they are now, `write_seconds` how long a
    status write takes lately.
    """

    settings: Settings
    namespace: str
    bus: Bus
    cluster: Cluster
    applications: Resource
    destinations: Destinations
    projects: Projects
    heads: Heads
    recorder: Recorder
    queue: WorkQueue[AppKey]
    argo: ArgoSettings
    openings: Openings
    known_applications: Applications[bytes]
    membership: Membership
    engines: Callable[[], Awaitable[Engines]]
    assess: Assessor
    spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    orphan_watches: dict[str, Watch] = field(default_factory=dict)
    leaving_projects: WorkQueue[str] = field(default_factory=WorkQueue)
    index: InputIndex = field(default_factory=InputIndex)
    states: dict[AppKey, AppState] = field(default_factory=dict)
    instances: dict[str, AppKey] = field(default_factory=dict)
    wanted: dict[tuple[str, ResourceKey], set[AppKey]] = field(default_factory=dict)
    outbox: Outbox = field(default_factory=Outbox)
    write_seconds: float = 0.0
    keyring: str = ""
