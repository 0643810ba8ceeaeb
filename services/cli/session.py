"""Connections of one command: the cluster it means, and the bus when it needs one. Closed when the command ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.cli.errors import CliError, Exit
from services.cli.options import Where
from services.cli.target import Target, bus_url, resolve
from services.stack import state
from shared import kube
from shared.bus import Bus, Disconnected, connect
from shared.telemetry import configure


@dataclass(frozen=True)
class Session:
    cluster: kube.Cluster
    discovery: kube.Discovery
    target: Target

    @property
    def namespace(self) -> str:
        return self.target.namespace


def _quiet() -> None:
    """What libraries have to say is for services; a command says itself what is wrong."""
    configure("tiphys", json=False, level="ERROR")


def target_of(where: Where) -> Target:
    return resolve(where, state.running(where.data))


@asynccontextmanager
async def open_cluster(where: Where) -> AsyncIterator[Session]:
    target = target_of(where)
    if not target.kubeconfig.exists():
        raise CliError(f"there is no kubeconfig {target.kubeconfig}", code=Exit.UNREACHABLE)
    _quiet()
    async with kube.connect(target.kubeconfig, target.context) as cluster:
        yield Session(cluster, kube.Discovery(cluster), target)


@asynccontextmanager
async def open_bus(where: Where) -> AsyncIterator[Bus]:
    _quiet()
    url = where.nats or bus_url(target_of(where))
    try:
        async with connect(url, service="cli", patience=5.0) as bus:
            yield bus
    except Disconnected as error:
        raise CliError(f"the bus cannot be reached: {error}", hint="`tiphys status`", code=Exit.UNREACHABLE) from error
