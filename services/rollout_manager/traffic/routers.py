"""All traffic routers there are, and which of them a Rollout configures. A new router is one module and one line here.

What a Rollout asks for and no module does is in `missing`: it becomes a problem of the spec, never a silent nothing.
"""

from services.rollout_manager.traffic import (
    Router,
    alb,
    ambassador,
    apisix,
    appmesh,
    gatewayapi,
    istio,
    nginx,
    smi,
    traefik,
)
from shared.kinds.trafficrouting import TrafficRouting

ROUTERS: tuple[Router, ...] = (
    istio.ROUTER,
    nginx.ROUTER,
    alb.ROUTER,
    smi.ROUTER,
    ambassador.ROUTER,
    appmesh.ROUTER,
    traefik.ROUTER,
    apisix.ROUTER,
    gatewayapi.ROUTER,
)
FIELDS = ("istio", "nginx", "alb", "smi", "ambassador", "appMesh", "traefik", "apisix")


def configured(routing: TrafficRouting) -> tuple[Router, ...]:
    return tuple(router for router in ROUTERS if router.configured(routing))


def missing(routing: TrafficRouting) -> list[str]:
    """The fields and plugins that are set and that nobody drives."""
    wire = routing.to_wire()
    asked = [name for name in FIELDS if name in wire] + [f"plugins.{name}" for name in wire.get("plugins") or ()]
    return [name for name in asked if name not in {router.name for router in configured(routing)}]
