"""From an Application's `destination` to the cluster it means: the control plane's own, or one of Argo CD's cluster
Secrets.

Connections are made when an Application first needs them and kept; a Secret that changes replaces its connection.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from services.reconciler.destination import Assess, Destination
from services.reconciler.errors import ComparisonFailed, InvalidSpec
from services.reconciler.live import OnChange
from services.reconciler.state import AppState
from shared.kinds.application import IN_CLUSTER
from shared.kinds.clusters import ClusterSecret
from shared.kinds.tracking import Tracking
from shared.kube import Cluster, KubeError, connect_secret

if TYPE_CHECKING:
    from services.reconciler.parts import Parts

Obj = dict[str, Any]
OnServerChange = Callable[[str], OnChange]


class Destinations:
    """The clusters in use, by server URL."""

    def __init__(
        self,
        own: Cluster,
        tasks: asyncio.TaskGroup,
        *,
        tracking: Callable[[], Tracking],
        on_change: OnServerChange,
        assess: Assess,
        concurrency: int,
    ) -> None:
        self._own = own
        self._tasks = tasks
        self._tracking = tracking
        self._on_change = on_change
        self._assess = assess
        self._concurrency = concurrency
        self._secrets: dict[str, ClusterSecret] = {}
        self._open: dict[str, tuple[Destination, AsyncExitStack]] = {}
        self._lock = asyncio.Lock()

    def set_secrets(self, secrets: list[ClusterSecret]) -> set[str]:
        """Take the cluster Secrets as they are now; give the servers whose Secret changed."""
        new = {secret.server: secret for secret in secrets}
        changed = {
            server for server in self._secrets.keys() | new.keys() if self._secrets.get(server) != new.get(server)
        }
        self._secrets = new
        return changed

    def server_of(self, destination: Obj) -> str:
        """Give the server that `server` or `name` means (spec 1.1). Raises InvalidSpec."""
        server, name = destination.get("server") or "", destination.get("name") or ""
        if server and name:
            raise InvalidSpec(f"application destination can't have both name and server defined: {name} {server}")
        if server:
            return str(server)
        if not name:
            raise InvalidSpec("Destination server missing from app spec")
        found = [secret.server for secret in self._secrets.values() if secret.name == name]
        if not found and name == "in-cluster":
            return IN_CLUSTER
        if len(found) != 1:
            how = "there are no clusters" if not found else f"there are {len(found)} clusters"
            raise InvalidSpec(f"unable to find destination server: {how} with this name: {name}")
        return found[0]

    def secret(self, server: str) -> ClusterSecret | None:
        """Give the cluster Secret of a server."""
        return self._secrets.get(server)

    async def get(self, server: str) -> Destination:
        """Give the destination, connecting if need be. Raises InvalidSpec, ComparisonFailed."""
        async with self._lock:
            if server not in self._open:
                self._open[server] = await self._connect(server)
            return self._open[server][0]

    async def _connect(self, server: str) -> tuple[Destination, AsyncExitStack]:
        closing = AsyncExitStack()
        secret = self._secrets.get(server)
        cluster = self._own
        if secret is not None:
            try:
                cluster = await closing.enter_async_context(connect_secret(secret))
            except (KubeError, OSError, ValueError) as error:
                raise ComparisonFailed(f"the cluster {server} can't be reached: {error}", retriable=True) from error
        elif server != IN_CLUSTER:
            raise InvalidSpec(f"cluster '{server}' has not been configured")
        destination = Destination(
            cluster,
            self._tasks,
            server=server,
            tracking=self._tracking,
            on_change=self._on_change(server),
            assess=self._assess,
            concurrency=self._concurrency,
        )
        return destination, closing

    async def close(self, server: str) -> None:
        """End the connection to a server; the next Application that needs it connects anew."""
        async with self._lock:
            if server in self._open:
                destination, closing = self._open.pop(server)
                await destination.stop()
                await closing.aclose()

    async def aclose(self) -> None:
        """End all connections."""
        for server in list(self._open):
            await self.close(server)


async def destination_of(parts: "Parts", state: AppState) -> Destination:
    """Give the destination of an Application. Raises InvalidSpec, ComparisonFailed."""
    return await parts.destinations.get(parts.destinations.server_of(state.obj["spec"].get("destination") or {}))
