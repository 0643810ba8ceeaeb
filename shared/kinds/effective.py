"""What an Application's spec means when all its fields are taken together.

In: an Application. Out: the sources that count, its names, where it goes. Looking up a cluster is the caller's.
"""

from typing import Literal, NamedTuple

from shared.kinds.application import IN_CLUSTER, Application, Destination
from shared.kinds.source import Source
from shared.kinds.tracking import instance_name

DEFAULT_PROJECT = "default"
DEFAULT_HISTORY = 10

__all__ = [
    "IN_CLUSTER",
    "ClusterChoice",
    "InvalidDestination",
    "cluster_choice",
    "effective_sources",
    "has_multiple_sources",
    "history_limit",
    "instance_of",
    "project_of",
    "qualified_name",
]


class InvalidDestination(ValueError):
    """A destination that names no cluster, or two."""


class ClusterChoice(NamedTuple):
    """How a destination names its cluster: by API server URL, or by the name of its cluster Secret."""

    by: Literal["server", "name"]
    value: str


def effective_sources(app: Application) -> tuple[Source, ...]:
    """Give the sources that count: the hydrator's sync source, else `sources`, else `source`."""
    hydrator = app.spec.source_hydrator
    if hydrator is not None:
        dry, sync = hydrator.dry_source, hydrator.sync_source
        return (Source(repo_url=sync.repo_url or dry.repo_url, path=sync.path, target_revision=sync.target_branch),)
    if app.spec.sources:
        return app.spec.sources
    return (app.spec.source,) if app.spec.source is not None else ()


def has_multiple_sources(app: Application) -> bool:
    return app.spec.source_hydrator is None and bool(app.spec.sources)


def project_of(app: Application) -> str:
    return app.spec.project or DEFAULT_PROJECT


def history_limit(app: Application) -> int:
    limit = app.spec.revision_history_limit
    return DEFAULT_HISTORY if limit is None else max(limit, 0)


def instance_of(app: Application, argo_namespace: str) -> str:
    """Give the name that tracking labels and annotations carry."""
    return instance_name(app.metadata.name, app.metadata.namespace, argo_namespace)


def qualified_name(app: Application) -> str:
    return f"{app.metadata.namespace}/{app.metadata.name}"


def cluster_choice(destination: Destination) -> ClusterChoice:
    """Give the cluster a destination names. Raises InvalidDestination when it names none, or both ways."""
    if destination.server and destination.name:
        raise InvalidDestination(
            f"application destination can't have both name and server defined: {destination.name} {destination.server}"
        )
    if destination.server:
        return ClusterChoice("server", destination.server.rstrip("/"))
    if destination.name:
        return ClusterChoice("name", destination.name)
    raise InvalidDestination("Destination server missing from app spec")
