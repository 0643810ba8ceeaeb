"""A real Kubernetes on this machine: etcd, API server, controllers, scheduler and a node, as processes of our own
binary.

In: a folder per cluster (any number side by side, each on free ports) and the node's kind: `kwok` (simulated, needs
no root), `real` (kubelet and containerd, root and Linux) or `none`. Out: a kubeconfig with full rights in that
folder.

Two forms. `running(directory)` is an async context manager: its processes end with this one, even when it is
killed. `up(directory)` leaves them running, `down(directory)` stops them and keeps the objects, `down(...,
purge=True)` forgets all. `up` on a cluster that runs in part starts what is missing. Errors are `ClusterError`s and
`BuildError`s that say what to do.

This package never touches a cluster that it didn't start, nor `~/.kube`.
"""

from services.stack.cluster.binaries import find as build
from services.stack.cluster.binaries import kubectl as kubectl_path
from services.stack.cluster.control import Cluster, ClusterInfo
from services.stack.cluster.errors import (
    ClusterError,
    ClusterTakenError,
    DiskFullError,
    NoClusterError,
    NodeImpossibleError,
    PartFailedError,
    PortTakenError,
)
from services.stack.cluster.lifecycle import ClusterStatus, PartStatus, down, kubeconfig, running, status, up

__all__ = [
    "Cluster",
    "ClusterError",
    "ClusterInfo",
    "ClusterStatus",
    "ClusterTakenError",
    "DiskFullError",
    "NoClusterError",
    "NodeImpossibleError",
    "PartFailedError",
    "PartStatus",
    "PortTakenError",
    "build",
    "down",
    "kubeconfig",
    "kubectl_path",
    "running",
    "status",
    "up",
]
