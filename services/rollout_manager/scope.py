"""Which objects are ours: by instance id, as Argo Rollouts' --instance-id chooses. Pure."""

from collections.abc import Mapping

from services.rollout_manager.labels import INSTANCE_ID


def ours(labels: Mapping[str, str], instance_id: str) -> bool:
    """With an id: those that carry it; without: those that carry none."""
    return labels.get(INSTANCE_ID, "") == instance_id
