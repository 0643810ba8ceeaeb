"""Which objects of other namespaces a Rollout may lead traffic with: those that invite its namespace, and those of
namespaces that the operator shares. Pure.

The manager may write routes everywhere, so a name in a Rollout must not be enough to have it write another team's. Who
is not invited learns nothing of what there is.
"""

from collections.abc import Mapping

from services.rollout_manager.keys import Obj, Ref
from shared.kinds.globs import matches
from shared.kinds.rollout import Rollout

ROLLOUTS_FROM = "tiphys.dev/rollouts-from"
REFUSED = (
    f"trafficRouting: {{ref}} is in another namespace and invites no Rollouts of {{namespace}}: its owner may do so by "
    f"the annotation {ROLLOUTS_FROM}, an operator by TIPHYS_ROLLOUT_MANAGER_SHARED_NAMESPACES"
)


def uninvited(rollout: Rollout, found: Mapping[Ref, Obj | None], shared: tuple[str, ...]) -> list[str]:
    """What is wrong with where the objects are."""
    namespace = rollout.metadata.namespace
    return [
        REFUSED.format(ref=ref, namespace=namespace)
        for ref, obj in found.items()
        if ref.namespace not in {"", namespace}
        and not any(matches(one, ref.namespace) for one in shared)
        and not invites(obj, namespace)
    ]


def invites(obj: Obj | None, namespace: str) -> bool:
    """The annotation names namespaces, as globs, between commas."""
    annotations = ((obj or {}).get("metadata") or {}).get("annotations") or {}
    named = str(annotations.get(ROLLOUTS_FROM) or "").split(",")
    return any(matches(one.strip(), namespace) for one in named if one.strip())
