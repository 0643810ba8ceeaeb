"""The health of an Application from that of its objects: what counts, and what does not."""

import pytest

from services.reconciler.rollup import Found, health_status
from shared.health import Health, Status
from shared.kinds.refs import ResourceKey

WEB = ResourceKey("apps", "Deployment", "ns", "web")
CHILD = ResourceKey("argoproj.io", "Application", "argocd", "child")


def one(
    key: ResourceKey, status: Status | None, *, live: bool = True, wanted: bool = True, ignored: bool = False
) -> Found:
    health = Health(status, "why") if status else None
    return Found(key, "v1", "Synced", health, live=live, wanted=wanted, ignored=ignored)


@pytest.mark.parametrize(
    ("found", "health"),
    [
        ([], Health("Healthy")),
        ([one(WEB, "Degraded")], Health("Degraded", "Caused by Deployment/web: why")),
        ([one(WEB, "Degraded", ignored=True)], Health("Healthy")),
        ([one(WEB, "Degraded", wanted=False)], Health("Healthy")),
        ([one(WEB, None)], Health("Healthy")),
        ([one(WEB, None, live=False)], Health("Missing")),
        ([one(WEB, None, live=False), one(CHILD, "Healthy")], Health("Healthy")),
        ([one(WEB, "Progressing"), one(CHILD, "Missing")], Health("Progressing")),
        ([one(WEB, "Healthy"), one(CHILD, "Unknown")], Health("Healthy")),
        ([one(WEB, "Healthy"), one(CHILD, "Degraded")], Health("Degraded", "Caused by Application/child: why")),
        ([one(WEB, "Suspended"), one(CHILD, None)], Health("Suspended")),
    ],
)
def test_the_worst_of_what_counts_is_the_application_s(found: list[Found], health: Health) -> None:
    assert health_status(found) == health
