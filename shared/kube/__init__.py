"""Kubernetes: a connection with raw requests, discovery, verbs, informers, a work queue, conditions, Events, leases.

The only package that imports kubernetes_asyncio, and only for credentials. Never: models of kinds (shared.kinds),
health.
"""

from shared.kube import conditions, verbs
from shared.kube.applications import Applications
from shared.kube.client import Cluster, connect, connect_secret, log_in
from shared.kube.discovery import Discovery, Resource
from shared.kube.errors import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Cause,
    Conflict,
    DiscoveryIncomplete,
    Fenced,
    Forbidden,
    Gone,
    InternalError,
    Invalid,
    KubeError,
    NoCluster,
    NotAcceptable,
    NotFound,
    ServerTimeout,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnknownKind,
    UnsupportedMediaType,
)
from shared.kube.informer import EventType, Informer, Key
from shared.kube.leases import Lease, LeaseLost
from shared.kube.projection import LiveObject, Metadata, Owner, compact, live_object, metadata, newer
from shared.kube.recorder import Recorder
from shared.kube.workqueue import WorkQueue

__all__ = [
    "AlreadyExists",
    "ApiError",
    "Applications",
    "BadRequest",
    "Cause",
    "Cluster",
    "Conflict",
    "Discovery",
    "DiscoveryIncomplete",
    "EventType",
    "Fenced",
    "Forbidden",
    "Gone",
    "Informer",
    "InternalError",
    "Invalid",
    "Key",
    "KubeError",
    "Lease",
    "LeaseLost",
    "LiveObject",
    "Metadata",
    "NoCluster",
    "NotAcceptable",
    "NotFound",
    "Owner",
    "Recorder",
    "Resource",
    "ServerTimeout",
    "TooLarge",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "UnknownKind",
    "UnsupportedMediaType",
    "WorkQueue",
    "compact",
    "conditions",
    "connect",
    "connect_secret",
    "live_object",
    "log_in",
    "metadata",
    "newer",
    "verbs",
]
