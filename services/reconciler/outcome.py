"""What became of one object in a sync, as an entry of `syncResult.resources`."""

from dataclasses import dataclass, replace
from typing import Any

from shared.kinds.refs import ResourceKey

Obj = dict[str, Any]
_REQUIRED = frozenset({"group", "version", "namespace"})  # by the CustomResourceDefinition, even when empty


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status`: Synced, SyncFailed, Pruned, PruneSkipped, or empty for a hook. `hook_phase` only where it does not
    follow from that.
    """

    key: ResourceKey
    version: str
    status: str
    message: str
    phase: str = "Sync"
    retriable: bool = False
    hook: str = ""
    hook_phase: str = ""

    @property
    def failed(self) -> bool:
        """Whether the operation fails by it."""
        return self.status == "SyncFailed"

    @property
    def runs(self) -> bool:
        """Whether it is a hook that has not ended."""
        return bool(self.hook) and not self.failed and self.hook_phase == "Running"

    def terminated(self) -> "Outcome":
        """Give what becomes of it when the operation is terminated."""
        return replace(self, status="SyncFailed", message="Terminated", hook_phase="Failed")

    def entry(self) -> Obj:
        """Give the entry of `syncResult.resources`."""
        names = {"group": self.key.group, "version": self.version, "kind": self.key.kind}
        place = {"namespace": self.key.namespace, "name": self.key.name, "message": self.message, "hookType": self.hook}
        shown = {name: value for name, value in (names | place).items() if value or name in _REQUIRED}
        status = {"status": self.status} if self.status and not self.hook else {}
        return shown | status | {"hookPhase": self._hook_phase(), "syncPhase": self.phase}

    def _hook_phase(self) -> str:
        if self.failed:
            return "Failed"
        if self.hook_phase:
            return self.hook_phase
        return "Succeeded" if self.hook or self.status in {"Pruned", "PruneSkipped"} else "Running"


def recorded(entry: Obj) -> Outcome:
    """Read an entry of `syncResult.resources` back."""
    key = ResourceKey(*(str(entry.get(name) or "") for name in ("group", "kind", "namespace", "name")))
    hook_phase = str(entry.get("hookPhase") or "")
    failed = entry.get("status") == "SyncFailed" or (entry.get("hookType") and hook_phase in {"Failed", "Error"})
    return Outcome(
        key,
        str(entry.get("version") or ""),
        "SyncFailed" if failed else str(entry.get("status") or ""),
        str(entry.get("message") or ""),
        str(entry.get("syncPhase") or "Sync"),
        hook=str(entry.get("hookType") or ""),
        hook_phase=hook_phase,
    )
