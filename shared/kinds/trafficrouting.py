"""How a canary's share of the traffic is set: one model for each router that a Rollout may name.

Data only. What each router does with it is its module's business in services/rollout_manager/traffic.
"""

from typing import Any

from pydantic import Field

from shared.kinds.wire import Wire


class ManagedRoute(Wire):
    name: str = ""


class TLSRoute(Wire):
    port: int | None = None
    sni_hosts: tuple[str, ...] = Field(default=(), alias="sniHosts")


class TCPRoute(Wire):
    port: int | None = None


class IstioVirtualService(Wire):
    """`name` may be `name.namespace`."""

    name: str = ""
    routes: tuple[str, ...] = ()
    tls_routes: tuple[TLSRoute, ...] = Field(default=(), alias="tlsRoutes")
    tcp_routes: tuple[TCPRoute, ...] = Field(default=(), alias="tcpRoutes")


class AdditionalSubset(Wire):
    name: str = ""
    service_name: str = ""


class IstioDestinationRule(Wire):
    name: str = ""
    canary_subset_name: str = ""
    stable_subset_name: str = ""
    additional_subset_names: tuple[dict[str, Any], ...] = ()


class Istio(Wire):
    virtual_service: IstioVirtualService | None = None
    virtual_services: tuple[IstioVirtualService, ...] = ()
    destination_rule: IstioDestinationRule | None = None


class Nginx(Wire):
    annotation_prefix: str = ""
    stable_ingress: str = ""
    stable_ingresses: tuple[str, ...] = ()
    additional_ingress_annotations: dict[str, str] = Field(default_factory=dict)
    canary_ingress_annotations: dict[str, str] = Field(default_factory=dict)


class Stickiness(Wire):
    enabled: bool = False
    duration_seconds: int = 0


class ALB(Wire):
    ingress: str = ""
    ingresses: tuple[str, ...] = ()
    service_port: int = 0
    root_service: str = ""
    annotation_prefix: str = ""
    stickiness_config: Stickiness | None = None


class SMI(Wire):
    root_service: str = ""
    traffic_split_name: str = ""


class Ambassador(Wire):
    mappings: tuple[str, ...] = ()


class AppMeshVirtualService(Wire):
    name: str = ""
    routes: tuple[str, ...] = ()


class NamedRef(Wire):
    name: str = ""


class AppMeshNodeGroup(Wire):
    canary_virtual_node_ref: NamedRef | None = None
    stable_virtual_node_ref: NamedRef | None = None


class AppMesh(Wire):
    virtual_service: AppMeshVirtualService | None = None
    virtual_node_group: AppMeshNodeGroup | None = None


class Traefik(Wire):
    weighted_traefik_service_name: str = ""


class ApisixRoute(Wire):
    name: str = ""
    rules: tuple[str, ...] = ()


class Apisix(Wire):
    route: ApisixRoute | None = None


class TrafficRouting(Wire):
    """Several may be set; each is driven."""

    istio: Istio | None = None
    nginx: Nginx | None = None
    alb: ALB | None = None
    smi: SMI | None = None
    ambassador: Ambassador | None = None
    app_mesh: AppMesh | None = None
    traefik: Traefik | None = None
    apisix: Apisix | None = None
    plugins: dict[str, Any] = Field(default_factory=dict)
    managed_routes: tuple[ManagedRoute, ...] = ()
    max_traffic_weight: int | None = None
