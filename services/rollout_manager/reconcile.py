"""One pass over one Rollout."""

from services.rollout_manager.keys import RolloutKey
from services.rollout_manager.parts import Parts
from shared.telemetry import get_logger

log = get_logger()


async def reconcile(parts: Parts, key: RolloutKey) -> None:
    """Do one pass."""
    log.warning("Rollouts are not built yet", rollout=str(key), known=len(parts.rollouts.store))
