"""What the rollout manager's loops share: connections, watches, queues. Made once, in app.py."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from services.rollout_manager.endpoints import Endpoints
from services.rollout_manager.keys import RolloutKey
from services.rollout_manager.objects import Interest, Objects, Owned, Watch
from services.rollout_manager.sets import Templates
from services.rollout_manager.settings import Settings
from shared.bus import Bus
from shared.engines.client import Engines
from shared.events import Event
from shared.kube import Cluster, Discovery, Recorder, WorkQueue


@dataclass(slots=True)
class Parts:
    """One rollout manager."""

    settings: Settings
    namespace: str
    bus: Bus
    cluster: Cluster
    discovery: Discovery
    engines: Engines
    recorder: Recorder
    objects: Objects
    rollouts: Watch
    replica_sets: Watch
    services: Watch
    runs: Watch
    experiments: Watch
    queue: WorkQueue[RolloutKey]
    interest: Interest[RolloutKey]
    templates: Templates
    endpoints: Endpoints
    owned_sets: Owned
    owned_runs: Owned
    owned_experiments: Owned
    outbox: deque[Event] = field(default_factory=lambda: deque(maxlen=10_000))
    outbox_filled: asyncio.Event = field(default_factory=asyncio.Event)
