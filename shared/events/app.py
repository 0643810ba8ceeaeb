"""What happened to an Application: one event class, one subject per kind of happening and Application.

`delivery.app.<what>.<namespace>.<name>`: the server filters by Application, so a live view of one costs no other's
events.
"""

from typing import ClassVar, Literal

from pydantic import Field

from shared.clock import rfc3339_ms
from shared.events.message import Event, Message, digest_of, token

What = Literal[
    "compared", "sync-started", "sync-finished", "resource", "health", "status", "deleted", "error", "action"
]


class ResourceRef(Message):
    group: str = ""
    kind: str
    namespace: str = ""
    name: str


class AppEvent(Event):
    """`status` holds the sync status, health status or operation phase that `what` is about."""

    filter: ClassVar[str] = "delivery.app.>"
    kind: ClassVar[str] = "app"

    what: What
    namespace: str
    name: str
    project: str = ""
    revisions: tuple[str, ...] = Field(default=(), description="One per source, in their order")
    phase: str = Field(default="", description="Operation phase: Running, Succeeded, Failed, Error, Terminating")
    status: str = Field(default="", description="Synced, OutOfSync, Healthy, Progressing, ...")
    message: str = ""
    resource: ResourceRef | None = Field(default=None, description="The object that what=resource or action is about")
    duration_ms: int | None = None

    def subject(self) -> str:
        return f"delivery.app.{self.what}.{token(self.namespace)}.{token(self.name)}"

    @staticmethod
    def filter_for(namespace: str, name: str, what: What | Literal["*"] = "*") -> str:
        return f"delivery.app.{what}.{token(namespace)}.{token(name)}"

    def dedupe_id(self) -> str:
        about = self.resource.to_bytes().decode() if self.resource else ""
        happened = (self.what, self.namespace, self.name, self.phase, self.status, about, rfc3339_ms(self.at))
        return digest_of(self.kind, self.delivery, *self.revisions, *happened)
