"""What the rollout manager's loops share: connections, watches, queues. Made once, in app.py."""

from dataclasses import dataclass, field

from services.rollout_manager.configs import Configs
from services.rollout_manager.endpoints import Endpoints
from services.rollout_manager.gates.webhooks import Webhooks
from services.rollout_manager.keys import RolloutKey
from services.rollout_manager.measures.exposed import Exposed
from services.rollout_manager.objects import Interest, Objects, Owned, Watch
from services.rollout_manager.sets import Templates
from services.rollout_manager.settings import Settings
from services.rollout_manager.settling import Settling
from services.rollout_manager.strays import Strays
from shared.bus import Bus, Outbox
from shared.engines.client import Engines
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
    exposed: Exposed
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
    claimed_services: Owned
    webhooks: Webhooks
    configs: Configs
    outbox: Outbox = field(default_factory=Outbox)
    settling: Settling = field(default_factory=Settling)
    strays: Strays = field(default_factory=Strays)
