"""Telling people how the destination clusters are, and labelling a cluster's Secret with its version where it asks for
that.

In: `AskClusters` from the bus; a connection that has become well. Out: one answer for all clusters that Secrets
name; a label. A cluster that no Application of this replica uses is asked once, for the answer.
"""

import asyncio
import re
from collections import Counter
from contextlib import suppress

import msgspec

from services.reconciler.connection import ConnectionState
from services.reconciler.destinations import Destinations
from services.reconciler.errors import InvalidSpec
from services.reconciler.parts import Parts
from shared.events import AskClusters, ClusterConnection, ClusterConnections
from shared.kinds.application import IN_CLUSTER
from shared.kinds.clusters import ClusterSecret
from shared.kube import ApiError, Discovery, KubeError, Resource, connect_secret, verbs
from shared.telemetry import get_logger

log = get_logger()
SECRETS = Resource("", "v1", "Secret", "secrets", namespaced=True)
AUTO_LABEL = "argocd.argoproj.io/auto-label-cluster-info"
VERSION_LABEL = "argocd.argoproj.io/kubernetes-version"
ASK_WITHIN = 5.0
AT_ONCE = 16


class Place(msgspec.Struct):
    """An Application's destination."""

    server: str | None = None
    name: str | None = None


class Spec(msgspec.Struct):
    """Nothing else of it is read."""

    destination: Place = msgspec.field(default_factory=Place)


class Bound(msgspec.Struct):
    """An Application, read only for where it goes."""

    spec: Spec


decode = msgspec.json.Decoder(Bound).decode


async def on_question(parts: Parts, question: AskClusters) -> ClusterConnections:
    """Answer for the clusters named, or for all."""
    wanted = question.servers or parts.destinations.servers()
    turns, bound = asyncio.Semaphore(AT_ONCE), applications(parts)

    async def one(server: str) -> ClusterConnection:
        async with turns:
            return await connection_of(parts, server, bound[server])

    return ClusterConnections(clusters=tuple(await asyncio.gather(*map(one, wanted))))


def applications(parts: Parts) -> Counter[str]:
    """Count the Applications that go to each cluster: all there are, also those that other replicas hold."""
    found: Counter[str] = Counter()
    for _key, raw in parts.known_applications.items():  # noqa: PERF102 - it is no dict
        with suppress(InvalidSpec, msgspec.ValidationError):
            found[parts.destinations.server_of(msgspec.structs.asdict(decode(raw).spec.destination))] += 1
    return found


async def connection_of(parts: Parts, server: str, bound: int) -> ClusterConnection:
    """Give what is known of one cluster."""
    secret = parts.destinations.secret(server)
    name = secret.name if secret else "in-cluster" if server == IN_CLUSTER else server
    used = parts.destinations.connection(server)
    if secret is not None and secret.skips_reconcile:
        state = ConnectionState("Unknown", "it is left alone: its Secret says skip-reconcile")
    elif used is not None:
        state = used.state
    elif secret is None and server != IN_CLUSTER:
        state = ConnectionState("Unknown", "no cluster Secret names it")
    else:
        state = await asked(parts, server, secret)
    return ClusterConnection(
        server=server,
        name=name,
        status=state.status,
        message=state.message,
        version=state.version,
        kinds=len(used.destination.watched) if used and used.destination else 0,
        applications=bound,
    )


async def asked(parts: Parts, server: str, secret: ClusterSecret | None) -> ConnectionState:
    """Ask a cluster that is not in use."""
    try:
        async with asyncio.timeout(ASK_WITHIN):
            if secret is None or Destinations.is_own(server, secret):
                return ConnectionState("Successful", version=await Discovery(parts.cluster).version())
            async with connect_secret(secret) as cluster:
                return ConnectionState("Successful", version=await Discovery(cluster).version())
    except (KubeError, OSError, ValueError) as error:
        return ConnectionState("Failed", str(error) or "no answer in time")


def version_label(version: str) -> str:
    """Give `v1.35.4` of `v1.35.4+k3s1`: a label's value has no plus sign."""
    found = re.match(r"v\d+\.\d+\.\d+", version)
    return found.group() if found else ""


async def label(parts: Parts, server: str, version: str) -> None:
    """Write the version beside a cluster's Secret, if it asks for that and is not labelled so."""
    secret, value = parts.destinations.secret(server), version_label(version)
    if secret is None or secret.labels.get(AUTO_LABEL) != "true" or secret.labels.get(VERSION_LABEL) == value:
        return
    namespace, _, name = secret.secret.partition("/")
    try:
        await verbs.patch(parts.cluster, SECRETS, namespace, name, {"metadata": {"labels": {VERSION_LABEL: value}}})
    except ApiError as error:
        log.warning("a cluster's Secret could not be labelled", secret=secret.secret, why=error.message)
