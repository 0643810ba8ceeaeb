"""The health of one object, and the worst of many."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Status = Literal["Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown"]
ORDER: tuple[Status, ...] = ("Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown")
_RANK = {status: rank for rank, status in enumerate(ORDER)}


class Health(NamedTuple):
    """`counts_as` is what the object weighs in its Application's health where that is not its status."""

    status: Status
    message: str = ""
    counts_as: Status | None = None

    @property
    def weight(self) -> Status:
        return self.counts_as or self.status


def worst(statuses: Iterable[Status]) -> Status:
    """Give the worst of several; nothing at all is Healthy."""
    return max(statuses, key=_RANK.__getitem__, default="Healthy")
