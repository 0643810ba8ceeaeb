"""What a cluster Secret lets us manage of its cluster: everything, or some namespaces only. Pure.

In: `namespaces` and `clusterResources` of the Secret. Out: where a kind is listed, and why an object is refused.
"""

from typing import NamedTuple

from shared.kinds.clusters import ClusterSecret
from shared.kinds.refs import ResourceKey
from shared.kube import Resource


class Reach(NamedTuple):
    """`namespaces` empty: the whole cluster."""

    namespaces: tuple[str, ...] = ()
    cluster_resources: bool = False

    def places(self, resource: Resource) -> tuple[str | None, ...]:
        """Give where to list a kind; None: across the cluster. Nowhere, when it must be left alone."""
        if not self.namespaces:
            return (None,)
        if resource.namespaced:
            return self.namespaces
        return (None,) if self.cluster_resources else ()

    def refusal(self, key: ResourceKey) -> str:
        """Say why an object can't be managed; empty when it can. `key.namespace` is empty for cluster-scoped kinds."""
        if not self.namespaces:
            return ""
        if not key.namespace and not self.cluster_resources:
            return (
                f'cluster level {key.kind} "{key.name}" can not be managed when in namespaced mode: '
                f"set clusterResources in the cluster's Secret"
            )
        if key.namespace and key.namespace not in self.namespaces:
            return (
                f'namespace "{key.namespace}" for {key.kind} "{key.name}" is not managed: '
                f"add it to `namespaces` in the cluster's Secret"
            )
        return ""


WHOLE = Reach()


def reach_of(secret: ClusterSecret | None) -> Reach:
    """Give the reach of a Secret; without one it is the control plane's own cluster."""
    return Reach(secret.namespaces, secret.cluster_resources) if secret else WHOLE
