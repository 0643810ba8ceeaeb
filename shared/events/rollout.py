"""What happened to a Rollout: one event class, one subject per kind of happening and Rollout.

`delivery.rollout.<what>.<namespace>.<name>`: the server filters by Rollout.
"""

from typing import ClassVar, Literal

from pydantic import Field

from shared.clock import rfc3339_ms
from shared.events.message import Event, digest_of, token

DELIVERY = "tiphys.dev/delivery"  # the annotation by which a sync tells a Rollout which delivery brought its spec

RolloutWhat = Literal[
    "updated",
    "scaled",
    "paused",
    "resumed",
    "step-completed",
    "weight",
    "service",
    "analysis",
    "experiment",
    "verdict",
    "completed",
    "aborted",
    "rolled-back",
    "invalid",
]


class RolloutEvent(Event):
    """`reason` and `message` are those of the Kubernetes Event."""

    filter: ClassVar[str] = "delivery.rollout.>"
    kind: ClassVar[str] = "rollout"

    what: RolloutWhat
    namespace: str
    name: str
    reason: str = ""
    message: str = ""
    phase: str = Field(default="", description="Healthy, Progressing, Paused, Degraded")
    hash: str = Field(default="", description="Of the pod template that is rolled out")
    step: int | None = Field(default=None, description="Index of the current step")
    steps: int = Field(default=0, description="How many steps there are")
    weight: int | None = Field(default=None, description="The canary's share of the traffic, where a router sets it")
    subscribers: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Recipients by service: annotations notifications.argoproj.io/subscribe.<trigger>.<service>",
    )

    def subject(self) -> str:
        return f"delivery.rollout.{self.what}.{token(self.namespace)}.{token(self.name)}"

    @staticmethod
    def filter_for(namespace: str, name: str) -> str:
        return f"delivery.rollout.*.{token(namespace)}.{token(name)}"

    def dedupe_id(self) -> str:
        happened = (self.what, self.namespace, self.name, self.reason, self.message, rfc3339_ms(self.at))
        return digest_of(self.kind, self.delivery, *happened)
