"""What happens when something changes: find whom it concerns, and queue that. No I/O, no decision."""

from services.rollout_manager.keys import RolloutKey
from services.rollout_manager.parts import Parts
from services.rollout_manager.scope import ours
from shared.kube import EventType, Key, LiveObject


def on_rollout(parts: Parts, _type: EventType, key: Key, obj: LiveObject, _old: LiveObject | None) -> None:
    """A Rollout was made, changed or deleted."""
    rollout = RolloutKey(*key)
    own = parts.settling.is_own(rollout, obj.meta.resourceVersion)
    if not own and ours(obj.meta.labels, parts.settings.instance_id):
        parts.queue.add(rollout)


def on_owned(parts: Parts, type_: EventType, key: Key, obj: LiveObject, _old: LiveObject | None) -> None:
    """A ReplicaSet, AnalysisRun or Experiment changed: its Rollout looks again."""
    for owner in obj.meta.ownerReferences:
        if owner.kind == "Rollout" and owner.controller:
            rollout = RolloutKey(key.namespace, owner.name)
            if type_ is EventType.DELETED and obj.kind == "ReplicaSet":
                parts.strays.gone(rollout, key.name)
            parts.queue.add(rollout)
