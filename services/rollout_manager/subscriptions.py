"""Who subscribed to an event by annotations `notifications.argoproj.io/subscribe.<trigger>.<service>`, with recipients
between semicolons. Argo Rollouts' triggers are named after the reasons of its Kubernetes Events. Pure.

Nothing is sent here: a subscriber of `delivery.rollout.*` that sends finds in the event to whom.
"""

import re
from collections.abc import Mapping

PREFIX = "notifications.argoproj.io/subscribe."
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def trigger_of(reason: str) -> str:
    """`RolloutStepCompleted` fires `on-rollout-step-completed`."""
    return f"on-{_WORD.sub('-', reason).lower()}"


def subscribers(annotations: Mapping[str, str], reason: str) -> dict[str, tuple[str, ...]]:
    """The recipients of each service; none: what the service does by default."""
    wanted = f"{PREFIX}{trigger_of(reason)}."
    return {
        name.removeprefix(wanted): tuple(one.strip() for one in str(text).split(";") if one.strip())
        for name, text in annotations.items()
        if name.startswith(wanted) and name != wanted
    }
