"""`tiphys cluster ...`: destination clusters (services/cli/destination does the work), and the embedded Kubernetes by
itself (services/stack/cluster).
"""

# ruff: noqa: PLR0917 - typer hands options over by name

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.cli.command import command
from services.cli.errors import Exit
from services.cli.options import Where

group = typer.Typer(
    help="Destination clusters: list, get, add, set, rm, rotate-auth. The embedded Kubernetes: up, down, status, "
    "kubeconfig.",
    short_help="Clusters that Applications are delivered to; and the embedded Kubernetes by itself.",
    no_args_is_help=True,
)
Server = Annotated[str, typer.Argument(help="The cluster: its SERVER or NAME.", metavar="CLUSTER")]
Namespaces = Annotated[
    list[str] | None, typer.Option("--managed-namespace", help="Only this namespace; may be repeated.", metavar="NAME")
]
Labels = Annotated[list[str] | None, typer.Option("--label", help="Of its Secret.", metavar="KEY=VALUE")]
Annotations = Annotated[list[str] | None, typer.Option("--annotation", help="Of its Secret.", metavar="KEY=VALUE")]


@command(group, "list", examples=("tiphys cluster list", "tiphys cluster list -o json"))
async def list_(where: Where) -> None:
    """List the destination clusters and how their connections are."""
    from services.cli.destination import show

    await show.show_list(where)


@command(group, "get", examples=("tiphys cluster get production", "tiphys cluster get https://10.0.0.1:6443 -o json"))
async def get(where: Where, cluster: Server) -> None:
    """Show one destination cluster; its credentials are never shown."""
    from services.cli.destination import show

    await show.show(where, cluster)


@command(
    group,
    "add",
    examples=(
        "tiphys cluster add production",
        "tiphys cluster add edge --from edge.yaml --managed-namespace shop --project retail",
    ),
)
async def add(
    where: Where,
    login: Annotated[str, typer.Argument(help="A context of your own kubeconfig.", metavar="CONTEXT")],
    source: Annotated[
        Path | None, typer.Option("--from", help="That kubeconfig [default: $KUBECONFIG].", metavar="FILE")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Another name than the context's.")] = "",
    namespaces: Namespaces = None,
    cluster_resources: Annotated[
        bool, typer.Option("--cluster-resources", help="With --managed-namespace: cluster-scoped objects too.")
    ] = False,
    project: Annotated[str, typer.Option("--project", help="The project that it belongs to.")] = "",
    labels: Labels = None,
    annotations: Annotations = None,
    account: Annotated[
        str, typer.Option("--service-account", help="Use this one, as it is, instead of making argocd-manager.")
    ] = "",
    system_namespace: Annotated[
        str, typer.Option("--system-namespace", help="Where the ServiceAccount is.", metavar="NAME")
    ] = "kube-system",
    in_cluster: Annotated[
        bool, typer.Option("--in-cluster", help="It is the cluster Tiphys runs in: use its inner address.")
    ] = False,
    upsert: Annotated[bool, typer.Option("--upsert", help="Replace what is known of it.")] = False,
) -> None:
    """Register a destination cluster: makes a ServiceAccount there, and the Secret that Argo CD reads here."""
    from services.cli.destination import register

    wish = register.Wish(
        context=login,
        kubeconfig=source,
        name=name,
        namespaces=tuple(namespaces or ()),
        cluster_resources=cluster_resources,
        project=project,
        labels=tuple(labels or ()),
        annotations=tuple(annotations or ()),
        account=account,
        system_namespace=system_namespace,
        in_cluster=in_cluster,
        upsert=upsert,
    )
    await register.add(where, wish)


@command(group, "set", examples=("tiphys cluster set production --name prod --label tier=gold",))
async def set_(
    where: Where,
    cluster: Server,
    name: Annotated[str, typer.Option("--name", help="Its new name.")] = "",
    namespaces: Namespaces = None,
    labels: Labels = None,
    annotations: Annotations = None,
) -> None:
    """Change the name, the managed namespaces ("" alone: all), labels or annotations of a destination cluster."""
    from services.cli.destination import register

    metadata = {
        "labels": register.pairs(tuple(labels or ()), "--label"),
        "annotations": register.pairs(tuple(annotations or ()), "--annotation"),
    }
    wanted = None if namespaces is None else tuple(filter(None, namespaces))
    await register.change(where, cluster, name=name, namespaces=wanted, metadata=metadata)


@command(group, "rm", examples=("tiphys cluster rm production",))
async def rm(where: Where, cluster: Server) -> None:
    """Forget a destination cluster; what was delivered to it stays."""
    from services.cli.destination import register

    await register.remove(where, cluster)


@command(group, "rotate-auth", examples=("tiphys cluster rotate-auth production",))
async def rotate_auth(where: Where, cluster: Server) -> None:
    """Give a destination cluster's ServiceAccount a new token, and make the old one worthless."""
    from services.cli.destination import register

    await register.rotate(where, cluster)


class Node(StrEnum):
    KWOK = "kwok"
    REAL = "real"
    NONE = "none"


@command(group, "up", examples=("tiphys cluster up", "tiphys cluster up --data /tmp/mine --node kwok"))
async def up(where: Where, node: Annotated[Node, typer.Option("--node", help="The node's kind.")] = Node.KWOK) -> None:
    """Embedded Kubernetes: start it, and print how to reach it."""
    from services.cli import clusters

    await clusters.up(where, node.value)


@command(group, "down", examples=("tiphys cluster down",))
async def down(
    where: Where, purge: Annotated[bool, typer.Option("--purge", help="Forget everything it stored.")] = False
) -> None:
    """Embedded Kubernetes: stop it; its data stays unless --purge."""
    from services.cli import clusters

    await clusters.down(where, purge=purge)


@command(group, "status", examples=("tiphys cluster status",))
async def status(where: Where) -> Exit:
    """Embedded Kubernetes: say whether it runs, and with which version."""
    from services.cli import clusters

    return await clusters.status(where)


@command(group, "kubeconfig", examples=('export KUBECONFIG="$(tiphys cluster kubeconfig)"',))
async def kubeconfig(where: Where) -> None:
    """Embedded Kubernetes: print the path of its kubeconfig."""
    from services.cli import clusters

    clusters.kubeconfig(where)
