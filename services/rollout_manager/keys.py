"""How things are named inside the rollout manager."""

from typing import Any, NamedTuple

Obj = dict[str, Any]


class RolloutKey(NamedTuple):
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Ref(NamedTuple):
    """Any object of the cluster that a Rollout reads or writes."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def ref_of(obj: Obj) -> Ref:
    group = str(obj.get("apiVersion") or "").rpartition("/")[0]
    metadata = obj.get("metadata") or {}
    return Ref(group, str(obj.get("kind") or ""), metadata.get("namespace") or "", metadata.get("name") or "")
