"""The rollout manager's settings: `TIPHYS_ROLLOUT_MANAGER_*`."""

from pydantic import Field
from pydantic_settings import BaseSettings

from shared.run import prefixed


class Settings(BaseSettings):
    """What an operator may turn."""

    model_config = prefixed("rollout_manager")

    instance_id: str = Field(
        default="",
        description="Only objects whose label argo-rollouts.argoproj.io/controller-instance-id is this; "
        "empty: only those without the label",
    )
    namespace_scope: str = Field(default="", description="Only objects of this namespace; empty: of all")
    workers: int = Field(default=32, ge=1, description="Rollouts worked on at the same time")
    leader_election: bool = Field(
        default=True, description="Work only while holding the Lease argo-rollouts-controller-lock"
    )
    lease_seconds: int = Field(
        default=15,
        ge=2,
        description="For how long the Lease holds without being renewed; whoever waits takes over then",
    )
    metric_hosts: tuple[str, ...] = Field(
        default=("*",),
        description="Hosts that metrics and the webhooks of gates may be asked of, as globs; link-local addresses (a "
        "cloud's metadata service) never",
    )
    shared_namespaces: tuple[str, ...] = Field(
        default=(),
        description="Namespaces, as globs, whose VirtualServices, DestinationRules, VirtualRouters and Gateway API "
        "routes Rollouts of other namespaces may change; elsewhere only those that invite them by the annotation "
        "tiphys.dev/rollouts-from",
    )
