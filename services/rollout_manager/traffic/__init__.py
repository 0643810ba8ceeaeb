"""The contract of a traffic router, and the values it gets. Pure: no router does I/O, waits, or knows the queue.

A router is a module with a `ROUTER = Router(...)`, listed in `traffic/routers.py`. In a pass over a Rollout with
`trafficRouting` the manager asks each configured router which objects it reads (`reads`), gives it their live state
(None: does not exist) with a `Plan`, and gets back the objects as they should be. It compares each with the live one
and writes those that differ, one write each (`traffic/apply.py`), under the field manager `rollouts-controller`:
an object that exists gets a merge patch of the difference at the version that was read (what others own stays as it
is), one that does not is created with the Rollout as its owner.

A plan is level, not edge: it says which weights and managed routes hold now. So a router never remembers anything,
a managed route that is not in the plan is taken away, and a second call with what the first one wrote changes nothing.
A router never removes destinations, subsets, rules or annotations that are neither the Rollout's nor an experiment's
of it. What it can't do with what it found (no such route, no rule for the service) is raised as `Unroutable` with every
problem in words; nothing is written then, and the Rollout keeps its weights.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.rollout_manager.keys import Obj, Ref
from shared.kinds.rollout import Rollout
from shared.kinds.strategy import HeaderRoute, MirrorRoute
from shared.kinds.trafficrouting import TrafficRouting

Objects = Mapping[Ref, Obj | None]
MOST = 100


class Unroutable(Exception):
    """What a router found can't carry the plan; `problems` says all of why."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Destination:
    """An experiment's service with its share."""

    service: str
    pod_template_hash: str
    weight: int


@dataclass(frozen=True)
class Weights:
    """`canary + stable + sum(additional) == max`."""

    canary: int = 0
    stable: int = MOST
    max: int = MOST
    additional: tuple[Destination, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What holds now. The services are named with ping-pong resolved; a hash is empty when there is no such
    ReplicaSet. `headers` and `mirrors` are the routes of the steps up to the current one, latest of each name, in the
    order of `managedRoutes`; `managed` are the names of all managed routes: those without a route go.
    """

    weights: Weights
    canary_service: str
    stable_service: str
    canary_hash: str = ""
    stable_hash: str = ""
    headers: tuple[HeaderRoute, ...] = ()
    mirrors: tuple[MirrorRoute, ...] = ()
    managed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Routed:
    """The objects as they should be (those that need no change may be among them), and those to delete."""

    wanted: tuple[Obj, ...] = ()
    unwanted: tuple[Ref, ...] = ()


@dataclass(frozen=True)
class Router:
    """`name` is its field in `trafficRouting`. `wanted` objects may be others than those that `reads` names, but every
    object that a router may change or delete must be in `reads`, so that its live state is known. `follows` names more
    to read, once those are known: what they refer to.

    `verified` judges, from the same objects, whether the weights have arrived in the load balancer; None: no opinion.
    """

    name: str
    configured: Callable[[TrafficRouting], bool]
    reads: Callable[[Rollout], tuple[Ref, ...]]
    route: Callable[[Objects, Rollout, Plan], Routed]
    follows: Callable[[Objects, Rollout], tuple[Ref, ...]] = lambda _objects, _rollout: ()
    verified: Callable[[Objects, Rollout, Plan], bool | None] = lambda _objects, _rollout, _plan: None
    headers: bool = False
    mirrors: bool = False
    experiments: bool = False
    max_weight: bool = False
    ping_pong: bool = False


def routing(rollout: Rollout) -> TrafficRouting:
    """The Rollout's traffic routing; for a Rollout that is known to have one."""
    canary = rollout.spec.strategy.canary
    assert canary is not None
    assert canary.traffic_routing is not None
    return canary.traffic_routing


def owner_reference(rollout: Rollout) -> dict[str, Any]:
    """For objects that a router makes: they go with the Rollout."""
    return {
        "apiVersion": rollout.api_version,
        "kind": "Rollout",
        "name": rollout.metadata.name,
        "uid": rollout.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
