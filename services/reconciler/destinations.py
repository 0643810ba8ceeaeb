"""From an Application's `destination` to the cluster it means: the control plane's own, or one of Argo CD's cluster
Secrets.

Connections are made when an Application first needs them and kept (connection.py). A Secret whose login changes is
logged in with anew; one that reaches further or less far replaces its connection. Nobody waits here for a cluster but
those who want that very cluster.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Any

from services.reconciler.connection import Connection, ConnectionState
from services.reconciler.destination import Assess, Destination
from services.reconciler.errors import InvalidSpec
from services.reconciler.live import OnChange
from services.reconciler.reach import reach_of
from services.reconciler.state import AppState
from shared.kinds.application import IN_CLUSTER
from shared.kinds.clusters import ClusterSecret
from shared.kinds.tracking import Tracking
from shared.kube import Cluster, KubeError, connect_secret, log_in

if TYPE_CHECKING:
    from services.reconciler.parts import Parts

Obj = dict[str, Any]
OnServerChange = Callable[[str], OnChange]
OnTurn = Callable[[str, ConnectionState, ConnectionState], None]


class Destinations:
    """The clusters in use, by server URL."""

    def __init__(
        self,
        own: Cluster,
        tasks: asyncio.TaskGroup,
        *,
        tracking: Callable[[], Tracking],
        respect_rbac: Callable[[], bool],
        on_change: OnServerChange,
        assess: Assess,
        on_turn: OnTurn,
        concurrency: int,
    ) -> None:
        self._own = own
        self._tasks = tasks
        self._tracking = tracking
        self._respect_rbac = respect_rbac
        self._on_change = on_change
        self._assess = assess
        self._on_turn = on_turn
        self._concurrency = concurrency
        self._secrets: dict[str, ClusterSecret] = {}
        self._used: dict[str, tuple[Connection, asyncio.Task[None]]] = {}

    def set_secrets(self, secrets: list[ClusterSecret]) -> set[str]:
        """Take the cluster Secrets as they are now; give the servers whose Secret changed."""
        new = {secret.server: secret for secret in secrets}
        before, self._secrets = self._secrets, new
        return {server for server in before.keys() | new.keys() if face(before.get(server)) != face(new.get(server))}

    def servers(self) -> tuple[str, ...]:
        """Give every cluster there is: the control plane's own, and those that Secrets name."""
        return (IN_CLUSTER, *sorted(self._secrets.keys() - {IN_CLUSTER}))

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

    def connection(self, server: str) -> Connection | None:
        """Give the connection to a cluster that is in use."""
        used = self._used.get(server)
        return used[0] if used else None

    def skips(self, destination: Obj) -> bool:
        """Tell whether the Secret of a destination says that its Applications are to be left alone."""
        secrets = self._secrets.values()
        named = (destination.get("server") or "", destination.get("name") or "")
        return any(one.skips_reconcile and (one.server == named[0] or one.name == named[1]) for one in secrets)

    @staticmethod
    def is_own(server: str, secret: ClusterSecret) -> bool:
        """Tell whether a Secret means the control plane's own cluster, as ourselves."""
        return server == IN_CLUSTER and not secret.config.has_login

    async def get(self, server: str) -> Destination:
        """Give the destination, waiting for its connection if need be. Raises InvalidSpec, ComparisonFailed."""
        if server not in self._used:
            if server not in self._secrets and server != IN_CLUSTER:
                raise InvalidSpec(f"cluster '{server}' has not been configured")
            connection = Connection(server, lambda: self._opened(server), partial(self._on_turn, server))
            self._used[server] = connection, self._tasks.create_task(connection.run(), context=Context())
        return await self._used[server][0].ready()

    @asynccontextmanager
    async def _opened(self, server: str) -> AsyncIterator[Destination]:
        secret = self._secrets.get(server)
        if secret is None or self.is_own(server, secret):
            async with self._watching(self._own, server) as destination:
                yield destination
            return
        async with connect_secret(secret) as cluster, self._watching(cluster, server) as destination:
            yield destination

    @asynccontextmanager
    async def _watching(self, cluster: Cluster, server: str) -> AsyncIterator[Destination]:
        destination = Destination(
            cluster,
            self._tasks,
            server=server,
            tracking=self._tracking,
            on_change=self._on_change(server),
            assess=self._assess,
            concurrency=self._concurrency,
            reach=reach_of(self._secrets.get(server)),
            respect_rbac=self._respect_rbac,
        )
        try:
            yield destination
        finally:
            await destination.stop()

    async def refresh(self, server: str) -> None:
        """Take a changed Secret into use: new credentials in place, everything else by connecting anew."""
        if server not in self._used:
            return
        connection, secret = self._used[server][0], self._secrets.get(server)
        destination = connection.destination
        if (
            secret is None
            or destination is None
            or destination.cluster is self._own
            or destination.reach != reach_of(secret)
        ):
            await self.close(server)
            return
        try:
            await log_in(destination.cluster, secret)
        except KubeError as error:
            connection.broke(error)
        destination.cluster.silent.set()

    async def close(self, server: str) -> None:
        """End the connection to a server; the next Application that needs it connects anew."""
        _, task = self._used.pop(server)
        task.cancel()
        await asyncio.wait({task})


def face(secret: ClusterSecret | None) -> tuple[ClusterSecret, bool] | None:
    """Give what matters of a Secret: not its labels, which we write ourselves."""
    if secret is None:
        return None
    return secret.model_copy(update={"labels": {}, "annotations": {}}), secret.skips_reconcile


async def destination_of(parts: "Parts", state: AppState) -> Destination:
    """Give the destination of an Application. Raises InvalidSpec, ComparisonFailed."""
    return await parts.destinations.get(parts.destinations.server_of(state.obj["spec"].get("destination") or {}))
