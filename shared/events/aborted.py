"""The annotation by which the rollout manager says that an update was aborted, and of which delivery: while it stands,
self-heal leaves the Rollout to the people who look at it. Pure.

It stands until another delivery writes the Rollout (git moved), or the aborted version is begun again (someone said
so).
"""

from collections.abc import Mapping
from typing import NamedTuple

import orjson

from shared.events.rollout import DELIVERY

ABORTED = "tiphys.dev/aborted"


class Aborted(NamedTuple):
    """`hash`: of the pod template whose update was aborted; `delivery`: the one that had brought it."""

    hash: str
    delivery: str

    def written(self) -> str:
        """Give the annotation's value."""
        return orjson.dumps(self._asdict()).decode()


def aborted(annotations: Mapping[str, str]) -> Aborted | None:
    """Give what a Rollout's annotations tell, if the delivery that was aborted is still the last one. Bad text tells
    nothing.
    """
    try:
        found = orjson.loads(annotations.get(ABORTED) or "null")
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("hash"), str):
        return None
    told = Aborted(found["hash"], str(found.get("delivery") or ""))
    return told if told.delivery == annotations.get(DELIVERY, "") else None
