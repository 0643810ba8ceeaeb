"""`tiphys up`: the bus, the cluster and every service in this process, until a signal.

What the person gave (a bus, a cluster) is used as it is; the rest is started here and ends with this process. A service
that fails is restarted by itself, and `/readyz` says so meanwhile. The state file appears first and says `ready` later.
"""

import asyncio
import os
import textwrap
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from services.stack import down, install, notify, registry, state
from services.stack.cluster.layout import NodeKind
from services.stack.notify import Report
from services.stack.options import Options, free_port, probe
from services.stack.registry import SERVICES, run_service
from services.stack.state import Process, StackState
from shared.clock import now, rfc3339
from shared.run import Board, Common, Context, configure_logs, load, opened, supervised, until_signal_or_done

REPORT_EVERY = 10.0
LONGEST_REASON = 240


@dataclass(frozen=True)
class Ground:
    """What the services stand on."""

    kubeconfig: Path
    context: str | None
    nats_url: str
    helpers: tuple[Process, ...]
    git_url: str | None


async def up(options: Options, report: Report) -> None:
    """Runs until a signal; raises FolderTakenError when the folder has a stack already."""
    with state.hold(options.data):
        registry.load()
        probe(options.host, options.port)
        if (stale := state.recorded(options.data)) is not None:
            down.end_helpers(stale, report)
            state.remove(options.data)
        await until_signal_or_done(_life(options, report))


async def _life(options: Options, report: Report) -> None:
    async with AsyncExitStack() as parts:
        ground = await _ground(options, parts, report)
        health_port = free_port()
        common = _common(options, ground, health_port)
        configure_logs(common, "stack")
        overrides = {"gateway": {"host": options.host, "port": options.port}}
        contexts = await parts.enter_async_context(opened(common, SERVICES, process="stack", overrides=overrides))
        report("installing the CRDs and what Argo expects to be there")
        await install.install(
            contexts["reconciler"].cluster, options.namespace, empty_settings=options.embedded_cluster
        )
        parts.callback(state.remove, options.data)
        await _run(options, contexts, _state(options, ground, health_port), report)


async def _run(options: Options, contexts: dict[str, Context], found: StackState, report: Report) -> None:
    state.write(options.data, found)
    report("starting the services: " + ", ".join(SERVICES))
    board = Board({name: context.health for name, context in contexts.items()})
    async with asyncio.TaskGroup() as tasks:
        for name, context in contexts.items():
            tasks.create_task(supervised(context, run_service), name=name)
        await _until_ready(board, report)
        state.write(options.data, found.model_copy(update={"ready": True}))
        report(f"ready: webhooks at {found.url}/api/webhook, health at {found.health_url}/readyz")
        report(notify.READY)


async def _until_ready(board: Board, report: Report) -> None:
    """Says what is still missing, when it takes long and when that changes."""
    said: list[str] = []
    while not board.ready:
        try:
            async with asyncio.timeout(REPORT_EVERY):
                await board.until_ready()
        except TimeoutError:
            if (missing := _missing(board)) != said:
                said = missing
                report("not ready yet: " + "; ".join(missing))


def _missing(board: Board) -> list[str]:
    services = board.report()["services"]
    return [f"{name}: {_why(service['parts'])}" for name, service in services.items() if not service["ready"]]


def _why(parts: dict[str, Any]) -> str:
    missing = [f"{part} {said.get('why', '')}" for part, said in parts.items() if not said["ready"]]
    return textwrap.shorten(", ".join(missing) or "starting", LONGEST_REASON)


async def _ground(options: Options, parts: AsyncExitStack, report: Report) -> Ground:
    kubeconfig, context = await _cluster(options, parts, report)
    helpers: tuple[Process, ...] = ()
    nats_url = options.nats
    if nats_url is None:
        report("starting nats-server")
        nats_url, helper = await _bus(options, parts)
        helpers = (helper,)
    git_url = await _git(options, parts, report) if options.git else None
    return Ground(kubeconfig, context, nats_url, helpers, git_url)


async def _bus(options: Options, parts: AsyncExitStack) -> tuple[str, Process]:
    from shared.bus import server

    running = await parts.enter_async_context(server.running(options.data / "nats", max_payload=8 * 1024 * 1024))
    assert running.process is not None
    return running.url, state.process("nats-server", running.process.pid)


async def _cluster(options: Options, parts: AsyncExitStack, report: Report) -> tuple[Path, str | None]:
    if not options.embedded_cluster:
        return options.kubeconfig or own_kubeconfig(), options.context
    from services.stack import cluster

    report(f"starting the embedded Kubernetes (node: {options.node})")
    node = cast("NodeKind", options.node)
    started = await parts.enter_async_context(cluster.running(options.data / "cluster", node=node, report=report))
    return started.kubeconfig, None


async def _git(options: Options, parts: AsyncExitStack, report: Report) -> str:
    """The folder's own repositories over HTTP, on a port that stays the same, because Applications name it."""
    from services.stack.gitserver import GitServer, Webhook

    remembered = options.data / "git" / "port"
    port = int(remembered.read_text()) if remembered.exists() else 0
    webhook = Webhook(f"{_url(options)}/api/webhook")
    server = await parts.enter_async_context(GitServer(options.data / "git", port=port, webhook=webhook))
    remembered.write_text(server.url.rpartition(":")[2])
    report(f"serving the git repositories of {options.data / 'git'} at {server.url}")
    return server.url


def _url(options: Options) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(options.host, options.host)  # noqa: S104 - dialled, not served
    return f"http://{host}:{options.port}"


def own_kubeconfig() -> Path:
    """Kubectl's own choice of file; used only with a context that a person named."""
    return Path(os.environ.get("KUBECONFIG", "").split(os.pathsep)[0] or "~/.kube/config").expanduser()


def _common(options: Options, ground: Ground, health_port: int) -> Common:
    return load(
        Common,
        nats_url=ground.nats_url,
        namespace=options.namespace,
        kubeconfig=ground.kubeconfig,
        kube_context=ground.context,
        data=options.data,
        health_host="127.0.0.1",
        health_port=health_port,
    )


def _state(options: Options, ground: Ground, health_port: int) -> StackState:
    return StackState(
        process=state.process("tiphys", os.getpid()),
        helpers=ground.helpers,
        url=_url(options),
        health_url=f"http://127.0.0.1:{health_port}",
        nats_url=ground.nats_url,
        kubeconfig=str(ground.kubeconfig),
        context=ground.context,
        namespace=options.namespace,
        services=SERVICES,
        embedded_cluster=options.embedded_cluster,
        git_url=ground.git_url,
        started_at=rfc3339(now()),
    )
