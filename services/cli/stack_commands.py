"""up, run, down, status, doctor, demo, bench: names, options and help; services/stack and services/cli/doctor do
the work.
"""

# ruff: noqa: PLR0917 - typer hands options over by name

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.cluster_commands import Node
from services.cli.command import command
from services.cli.errors import Exit
from services.cli.options import Where

Listen = Annotated[
    str, typer.Option("--listen", help="The gateway's address; port 0: any free one.", metavar="HOST:PORT")
]
DEFAULT_LISTEN = "127.0.0.1:8080"


class Service(StrEnum):
    GATEWAY = "gateway"
    GIT_WATCHER = "git_watcher"
    RENDERER = "renderer"
    RECONCILER = "reconciler"
    ROLLOUT_MANAGER = "rollout_manager"
    REGISTRY_WATCHER = "registry_watcher"
    IMAGE_UPDATER = "image_updater"


def register(app: typer.Typer) -> None:
    command(
        app, "up", examples=("tiphys up", "tiphys up --detach", "tiphys up --kubeconfig ~/.kube/dev --context dev")
    )(up)
    command(app, "down", examples=("tiphys down",))(down)
    command(app, "run", examples=("tiphys run reconciler --kubeconfig FILE --nats nats://bus:4222",))(run)
    command(app, "status", examples=("tiphys status", "tiphys status -o json"))(status)
    command(app, "doctor", examples=("tiphys doctor", "tiphys doctor --kubeconfig ~/.kube/dev"))(doctor)
    command(app, "demo", examples=("tiphys demo", "tiphys demo --data /tmp/demo"))(demo)
    command(app, "bench", examples=("tiphys bench", "tiphys bench -a 50", "tiphys bench --large"))(bench)


async def up(
    where: Where,
    listen: Listen = DEFAULT_LISTEN,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Run in the background; return when ready.")] = False,
    git: Annotated[bool, typer.Option("--git/--no-git", help="Serve the folder's own git repositories.")] = False,
    node: Annotated[Node, typer.Option("--node", help="The embedded cluster's node.")] = Node.KWOK,
) -> None:
    """Start the whole stack; without --kubeconfig and --nats everything is embedded."""
    from services.cli import stacks

    await stacks.up(stacks.options_of(where, listen, git=git, node=node.value), detached=detach)


async def down(where: Where) -> None:
    """Stop the stack of this folder, cleanly."""
    from services.cli import stacks

    await stacks.down(where)


async def run(
    where: Where,
    service: Annotated[Service, typer.Argument(help="Which one.")],
    listen: Listen = "127.0.0.1:0",
    instance_id: Annotated[
        str, typer.Option("--instance-id", help="rollout_manager: only objects labelled with this id.", metavar="ID")
    ] = "",
    namespace_scope: Annotated[
        str, typer.Option("--namespace-scope", help="rollout_manager: only this namespace.", metavar="NAME")
    ] = "",
) -> None:
    """Run one service alone, on a bus and a cluster that are there already; --nats none: without a bus, where that is
    possible (rollout_manager).
    """
    from services.cli import stacks

    chosen = {"instance_id": instance_id, "namespace_scope": namespace_scope}
    await stacks.run(where, service.value, listen, {name: value for name, value in chosen.items() if value})


async def status(where: Where) -> Exit:
    """Say what runs where, and whether it is ready."""
    from services.cli import stacks

    return await stacks.status(where)


async def doctor(where: Where) -> Exit:
    """Find what is wrong with this installation, and say what to do."""
    from services.cli import doctor as checks

    return await checks.examine(where)


async def demo(where: Where, listen: Listen = "127.0.0.1:0") -> None:
    """Bring everything up with three sample Applications, push a change and show its way."""
    from services.cli import stacks

    await stacks.demo(where, listen)


async def bench(
    where: Where,
    applications: Annotated[
        list[int] | None,
        typer.Option("-a", "--applications", help="How many; may be repeated [default: 50, 300, 1000]."),
    ] = None,
    large: Annotated[bool, typer.Option("--large", help="5,000 Applications as well.")] = False,
    pushes: Annotated[int, typer.Option("--pushes", help="Pushes to measure.")] = 20,
    poll: Annotated[bool, typer.Option("--poll/--no-poll", help="A push without a webhook too; waits minutes.")] = True,
    write: Annotated[bool, typer.Option("--write/--no-write", help="Write docs/benchmarks.md.")] = True,
    hooks: Annotated[
        int, typer.Option("--hooks", help="Only this: so many Applications with a PreSync Job of 10 s each.")
    ] = 0,
    replicas: Annotated[
        int, typer.Option("--replicas", help="Only this: so many Applications of two reconcilers, one of them killed.")
    ] = 0,
) -> None:
    """Measure the stack on the embedded Kubernetes; takes minutes."""
    from services.cli import stacks

    if hooks:
        await stacks.bench_hooks(hooks)
        return
    if replicas:
        await stacks.bench_replicas(replicas)
        return
    counts = tuple(applications or ((50, 300, 1000, 5000) if large else (50, 300, 1000)))
    await stacks.bench(where, counts, pushes=pushes, poll=poll, write=write)
