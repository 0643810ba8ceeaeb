"""What a cluster's API knows: kinds to resources, the server's version, Helm's list of API versions.

In: the aggregated discovery documents (two requests), or the plain ones where the server is older. Out: `Resource`.
A kind that is not in them raises UnknownKind; a kind of a group whose server is down raises DiscoveryIncomplete
instead. Kept until told otherwise; a miss asks again, at most once every few seconds. Never: a request for a kind
that is known.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import NamedTuple

import msgspec
import orjson

from shared.kube import wire
from shared.kube.client import JSON, Cluster
from shared.kube.errors import ApiError, DiscoveryIncomplete, NotAcceptable, NotFound, UnknownKind

AGGREGATED = ",".join(
    f"application/json;g=apidiscovery.k8s.io;v={v};as=APIGroupDiscoveryList" for v in ("v2", "v2beta1")
)
MISS_INTERVAL = 3.0


class Resource(NamedTuple):
    """A kind as the API serves it. `preferred`: at the version that the server prefers for this kind."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str] = frozenset()
    preferred: bool = True
    subresources: frozenset[str] = frozenset()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def watchable(self) -> bool:
        return {"list", "watch"} <= self.verbs


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that one round of discovery found. `stale` are group versions whose server did not answer."""

    resources: dict[tuple[str, str], tuple[Resource, ...]] = field(default_factory=dict)
    group_versions: tuple[str, ...] = ()
    stale: frozenset[tuple[str, str]] = frozenset()

    def find(self, group: str, kind: str, version: str | None) -> Resource | None:
        found = self.resources.get((group, kind), ())
        return next((one for one in found if version in {None, one.version}), None)

    def doubtful(self, group: str, version: str | None) -> bool:
        """Whether a kind that is missing here may exist all the same."""
        return any(group == one and version in {None, other} for one, other in self.stale)


class Discovery:
    """One cluster's kinds; shared by everything that talks to the cluster."""

    def __init__(self, cluster: Cluster, *, miss_interval: float = MISS_INTERVAL) -> None:
        self._cluster = cluster
        self._miss_interval = miss_interval
        self._known: Snapshot | None = None
        self._read_at = float("-inf")
        self._version = ""
        self._lock = asyncio.Lock()

    def invalidate(self) -> None:
        """A CustomResourceDefinition or APIService changed: the next question asks the server."""
        self._read_at = float("-inf")
        self._known = None

    async def resource(self, group: str, kind: str, version: str | None = None) -> Resource:
        """Give the resource of a kind, at the preferred version unless one is named.

        Raises UnknownKind, or DiscoveryIncomplete when the group can't say.
        """
        known = self._known or await self._refresh(monotonic())
        if found := known.find(group, kind, version):
            return found
        if monotonic() - self._read_at >= self._miss_interval:
            known = await self._refresh(monotonic())
        if found := known.find(group, kind, version):
            return found
        if known.doubtful(group, version):
            raise DiscoveryIncomplete(
                f"the API server of the group {group} does not answer, so whether it has {kind} is not known: "
                f"look at its APIService with `kubectl get apiservices`"
            )
        raise UnknownKind(group, kind, version)

    async def resources(self) -> tuple[Resource, ...]:
        """Give every kind, at the preferred version."""
        known = self._known or await self._refresh(monotonic())
        return tuple(found[0] for found in known.resources.values())

    async def api_versions(self) -> tuple[str, ...]:
        """Give what Helm's Capabilities hold: `apps/v1` and `apps/v1/Deployment`, sorted."""
        known = self._known or await self._refresh(monotonic())
        kinds = (f"{one.api_version}/{one.kind}" for found in known.resources.values() for one in found)
        return tuple(sorted({*known.group_versions, *kinds}))

    async def version(self) -> str:
        """Give the server's version, `v1.35.4`."""
        if not self._version:
            self._version = str(orjson.loads(await self._cluster.request("GET", "/version"))["gitVersion"])
        return self._version

    async def probe(self, timeout: float) -> str:  # noqa: ASYNC109
        """Ask the server for its version anew: whether it answers, and whether it is another one. Raises ApiError."""
        answer = await self._cluster.request("GET", "/version", timeout=timeout)
        version = str(orjson.loads(answer)["gitVersion"])
        if self._version not in {"", version}:
            self.invalidate()
        self._version = version
        return version

    async def _refresh(self, asked_at: float) -> Snapshot:
        """Read everything once for all who asked meanwhile."""
        async with self._lock:
            if self._known is not None and self._read_at >= asked_at:
                return self._known
            began = monotonic()
            fresh = await _read(self._cluster)
            self._known, self._read_at = _remembering(fresh, self._known), began
            return self._known


def _remembering(fresh: Snapshot, known: Snapshot | None) -> Snapshot:
    """Keep what was known of groups that did not answer this time."""
    if known is None or not fresh.stale:
        return fresh
    kept = {
        key: tuple(one for one in found if (one.group, one.version) in fresh.stale)
        for key, found in known.resources.items()
        if key not in fresh.resources
    }
    return Snapshot(
        {**{key: found for key, found in kept.items() if found}, **fresh.resources}, fresh.group_versions, fresh.stale
    )


async def _read(cluster: Cluster) -> Snapshot:
    try:
        bodies = await asyncio.gather(
            *(cluster.request("GET", path, accept=f"{AGGREGATED},{JSON}") for path in ("/api", "/apis"))
        )
    except NotAcceptable:
        return await _read_plain(cluster)
    documents = [wire.DISCOVERY.decode(body) for body in bodies]
    if any(document.kind != "APIGroupDiscoveryList" for document in documents):
        return await _read_plain(cluster)
    return snapshot([group for document in documents for group in document.items])


def snapshot(groups: Iterable[wire.DiscoveredGroup]) -> Snapshot:
    """Index aggregated discovery. Pure."""
    resources: dict[tuple[str, str], list[Resource]] = {}
    group_versions, stale = [], set()
    for group in groups:
        name = group.metadata.name
        for version in group.versions:
            group_versions.append(f"{name}/{version.version}" if name else version.version)
            if version.freshness == "Stale":
                stale.add((name, version.version))
            for one in version.resources:
                _index(resources, _resource(name, version.version, one))
    return Snapshot({key: tuple(found) for key, found in resources.items()}, tuple(group_versions), frozenset(stale))


def _resource(group: str, version: str, one: wire.DiscoveredResource) -> Resource:
    kind = one.responseKind.kind if one.responseKind else ""
    below = frozenset(sub.subresource for sub in one.subresources)
    return Resource(group, version, kind, one.resource, one.scope == "Namespaced", frozenset(one.verbs), True, below)


def _index(resources: dict[tuple[str, str], list[Resource]], found: Resource) -> None:
    """The first version that has a kind is the preferred one; of two resources of one kind the first counts."""
    known = resources.setdefault((found.group, found.kind), [])
    if found.kind and all(one.version != found.version for one in known):
        known.append(found._replace(preferred=not known))


async def _read_plain(cluster: Cluster) -> Snapshot:
    core = wire.VERSIONS.decode(await cluster.request("GET", "/api"))
    groups = wire.GROUPS.decode(await cluster.request("GET", "/apis"))
    paths = [("", version, f"/api/{version}") for version in core.versions]
    for group in groups.groups:
        preferred = group.preferredVersion.version
        ordered = sorted(group.versions, key=lambda one, first=preferred: one.version != first)  # type: ignore[misc]
        paths += [(group.name, one.version, f"/apis/{one.groupVersion}") for one in ordered]
    lists = await asyncio.gather(*(_plain_list(cluster, path) for _, _, path in paths))
    return _plain_snapshot([(group, version) for group, version, _ in paths], lists)


async def _plain_list(cluster: Cluster, path: str) -> wire.PlainResources | None:
    """Give the resources of one group version; None when its server is down."""
    try:
        return wire.RESOURCES.decode(await cluster.request("GET", path))
    except NotFound:
        return wire.PlainResources()
    except ApiError:
        return None


async def unserved(cluster: Cluster, resource: Resource) -> bool:
    """Whether the API server says that it has a kind no more: by lists that name others, never by a 404 alone, which a
    proxy before it may answer to everything. Built-in kinds of the core never go.
    """
    try:
        groups = wire.GROUPS.decode(await cluster.request("GET", "/apis")).groups
        if not resource.group or not groups:
            return False
        if all(one.groupVersion != resource.api_version for group in groups for one in group.versions):
            return True
        served = wire.RESOURCES.decode(await cluster.request("GET", f"/apis/{resource.api_version}")).resources
    except (ApiError, msgspec.MsgspecError):
        return False
    return bool(served) and all(one.name != resource.plural for one in served)


def _plain_snapshot(names: list[tuple[str, str]], lists: list[wire.PlainResources | None]) -> Snapshot:
    resources: dict[tuple[str, str], list[Resource]] = {}
    for (group, version), found in zip(names, lists, strict=True):
        below: dict[str, set[str]] = {}
        for one in found.resources if found else ():
            plural, _, subresource = one.name.partition("/")
            below.setdefault(plural, set()).add(subresource)
        for one in found.resources if found else ():
            if "/" not in one.name:
                subs, able = frozenset(below[one.name] - {""}), frozenset(one.verbs)
                _index(resources, Resource(group, version, one.kind, one.name, one.namespaced, able, True, subs))
    versions = tuple(f"{group}/{version}" if group else version for group, version in names)
    stale = frozenset(name for name, found in zip(names, lists, strict=True) if found is None)
    return Snapshot({key: tuple(found) for key, found in resources.items()}, versions, stale)
