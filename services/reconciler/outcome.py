"""What became of one object in a sync, as an entry of `syncResult.resources`."""

from dataclasses import dataclass
from typing import Any

from shared.kinds.refs import ResourceKey

Obj = dict[str, Any]
_REQUIRED = frozenset({"group", "version", "namespace"})  # by the CustomResourceDefinition, even when empty


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status`: Synced, SyncFailed, Pruned, PruneSkipped, or empty for a hook that has succeeded."""

    key: ResourceKey
    version: str
    status: str
    message: str
    phase: str = "Sync"
    retriable: bool = False
    hook: str = ""

    @property
    def failed(self) -> bool:
        """Whether the operation fails by it."""
        return self.status == "SyncFailed"

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
        return "Succeeded" if self.hook or self.status in {"Pruned", "PruneSkipped"} else "Running"
