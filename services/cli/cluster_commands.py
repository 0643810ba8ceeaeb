"""`tiphys cluster ...`: the embedded Kubernetes by itself; services/stack/cluster does the work."""

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.command import command
from services.cli.errors import Exit
from services.cli.options import Where

group = typer.Typer(help="The embedded Kubernetes by itself.", no_args_is_help=True)


class Node(StrEnum):
    KWOK = "kwok"
    REAL = "real"
    NONE = "none"


@command(group, "up", examples=("tiphys cluster up", "tiphys cluster up --data /tmp/mine --node kwok"))
async def up(where: Where, node: Annotated[Node, typer.Option("--node", help="The node's kind.")] = Node.KWOK) -> None:
    """Start an embedded Kubernetes, and print how to reach it."""
    from services.cli import clusters

    await clusters.up(where, node.value)


@command(group, "down", examples=("tiphys cluster down",))
async def down(
    where: Where, purge: Annotated[bool, typer.Option("--purge", help="Forget everything it stored.")] = False
) -> None:
    """Stop it; its data stays unless --purge."""
    from services.cli import clusters

    await clusters.down(where, purge=purge)


@command(group, "status", examples=("tiphys cluster status",))
async def status(where: Where) -> Exit:
    """Say whether it runs, and with which version."""
    from services.cli import clusters

    return await clusters.status(where)


@command(group, "kubeconfig", examples=('export KUBECONFIG="$(tiphys cluster kubeconfig)"',))
async def kubeconfig(where: Where) -> None:
    """Print the path of its kubeconfig."""
    from services.cli import clusters

    clusters.kubeconfig(where)
