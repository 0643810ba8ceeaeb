"""Counts of a status change with every pod. What says nothing but that waits a moment, so that one write says several;
whatever else changes is written at once, and the counts with it. Nothing follows from counts that we wrote ourselves:
no pass is made to hear of them. Pure; time is a parameter.
"""

from services.rollout_manager.keys import Obj, RolloutKey
from services.rollout_manager.state import entries

SETTLE = 0.2
COUNTS = frozenset({"replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "HPAReplicas", "message"})


class Settling:
    """When the counts of a Rollout are written at the latest, for those that are kept back."""

    def __init__(self) -> None:
        self._due: dict[RolloutKey, float] = {}
        self._own: dict[RolloutKey, str] = {}

    def wait(self, key: RolloutKey, before: Obj, patch: Obj, now: float) -> float:
        """Seconds for which a change of the status is kept back; 0: write it."""
        if patch and only_counts(before, patch):
            due = self._due.setdefault(key, now + SETTLE)
            if due > now:
                return due - now
        self.forget(key)
        return 0.0

    def wrote(self, key: RolloutKey, version: str) -> None:
        """At this version a Rollout differs from what the last pass saw in counts alone."""
        self._own[key] = version

    def is_own(self, key: RolloutKey, version: str) -> bool:
        return self._own.get(key) == version

    def forget(self, key: RolloutKey) -> None:
        self._due.pop(key, None)

    def gone(self, key: RolloutKey) -> None:
        self.forget(key)
        self._own.pop(key, None)


def only_counts(before: Obj, patch: Obj) -> bool:
    if not patch.keys() <= COUNTS | {"conditions"}:
        return False
    return "conditions" not in patch or said(before) == said(patch)


def said(status: Obj) -> list[Obj]:
    """The conditions without the time at which one was said last."""
    found = [
        {name: value for name, value in one.items() if name != "lastUpdateTime"}
        for one in entries(status, "conditions")
    ]
    return sorted(found, key=lambda one: str(one.get("type")))
