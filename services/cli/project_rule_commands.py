"""`tiphys proj add-..., remove-..., allow-..., deny-...`: one rule of a project at a time."""

# ruff: noqa: PLR0917 - typer hands options over by name

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.command import command
from services.cli.options import Where
from services.cli.project_commands import Name, group

__all__ = ["group"]

Url = Annotated[str, typer.Argument(help="The repository; globs, ! denies.", metavar="URL")]
Server = Annotated[str, typer.Argument(help="The cluster's address; globs, ! denies.", metavar="SERVER")]
Namespace = Annotated[str, typer.Argument(help="The namespace; globs, ! denies.", metavar="NAMESPACE")]
Group = Annotated[str, typer.Argument(help="The API group; '' is the core group.", metavar="GROUP")]
Kind = Annotated[str, typer.Argument(help="The kind.", metavar="KIND")]
Key = Annotated[str, typer.Argument(help="The key's ID, or an SSH key's SHA256 fingerprint.", metavar="KEY-ID")]
ByName = Annotated[bool, typer.Option("--name", help="SERVER is the name of a cluster Secret.")]
ResourceName = Annotated[str, typer.Argument(help="Only objects of this name; globs.", metavar="NAME")]


class InList(StrEnum):
    ALLOW = "allow"
    DENY = "deny"


ListChoice = Annotated[InList, typer.Option("--list", "-l", help="By which of its two lists.")]


@command(group, "add-source", examples=("tiphys proj add-source team 'https://git.example.org/team/*'",))
async def add_source(where: Where, name: Name, url: Url) -> None:
    """Permit a repository."""
    from services.cli.project import rules

    await rules.text(where, name, "sourceRepos", url, add=True)


@command(group, "remove-source", examples=("tiphys proj remove-source team 'https://git.example.org/team/*'",))
async def remove_source(where: Where, name: Name, url: Url) -> None:
    """Take a repository out of the permitted ones."""
    from services.cli.project import rules

    await rules.text(where, name, "sourceRepos", url, add=False)


@command(group, "add-source-namespace", examples=("tiphys proj add-source-namespace team 'team-*'",))
async def add_source_namespace(where: Where, name: Name, place: Namespace) -> None:
    """Let Applications of a namespace use the project."""
    from services.cli.project import rules

    await rules.text(where, name, "sourceNamespaces", place, add=True)


@command(group, "remove-source-namespace", examples=("tiphys proj remove-source-namespace team 'team-*'",))
async def remove_source_namespace(where: Where, name: Name, place: Namespace) -> None:
    """Don't let Applications of a namespace use the project any more."""
    from services.cli.project import rules

    await rules.text(where, name, "sourceNamespaces", place, add=False)


@command(
    group,
    "add-destination",
    examples=("tiphys proj add-destination team https://kubernetes.default.svc 'team-*'",),
)
async def add_destination(where: Where, name: Name, server: Server, place: Namespace, by_name: ByName = False) -> None:
    """Permit a destination."""
    from services.cli.project import rules

    await rules.place(where, name, server, place, by_name=by_name, add=True)


@command(
    group,
    "remove-destination",
    examples=("tiphys proj remove-destination team https://kubernetes.default.svc 'team-*'",),
)
async def remove_destination(
    where: Where, name: Name, server: Server, place: Namespace, by_name: ByName = False
) -> None:
    """Take a destination out of the permitted ones."""
    from services.cli.project import rules

    await rules.place(where, name, server, place, by_name=by_name, add=False)


@command(group, "add-signature-key", examples=("tiphys proj add-signature-key team 4AEE18F83AFDEB23",))
async def add_signature_key(where: Where, name: Name, key: Key) -> None:
    """Demand commits that are signed, and let this key sign them."""
    from services.cli.project import rules

    await rules.key(where, name, key, add=True)


@command(group, "remove-signature-key", examples=("tiphys proj remove-signature-key team 4AEE18F83AFDEB23",))
async def remove_signature_key(where: Where, name: Name, key: Key) -> None:
    """Don't let a key sign commits any more; without any key nothing has to be signed."""
    from services.cli.project import rules

    await rules.key(where, name, key, add=False)


Only = Annotated[str, typer.Option("--name", help="Only objects of this name; globs.", metavar="NAME")]


@command(group, "add-orphaned-ignore", examples=("tiphys proj add-orphaned-ignore team '' ConfigMap --name 'own-*'",))
async def add_orphaned_ignore(where: Where, name: Name, group_: Group, kind: Kind, only: Only = "") -> None:
    """Ignore orphaned resources of a kind."""
    from services.cli.project import rules
    from services.cli.project.change import written

    await rules.orphaned(where, name, written(group=group_, kind=kind, name=only), add=True)


@command(group, "remove-orphaned-ignore", examples=("tiphys proj remove-orphaned-ignore team '' ConfigMap",))
async def remove_orphaned_ignore(where: Where, name: Name, group_: Group, kind: Kind, only: Only = "") -> None:
    """Don't ignore orphaned resources of a kind any more."""
    from services.cli.project import rules

    await rules.orphaned(where, name, {"group": group_, "kind": kind, "name": only}, add=False)


Account = Annotated[str, typer.Argument(help="The ServiceAccount that syncs act as.", metavar="ACCOUNT")]
Home = Annotated[
    str, typer.Option("--service-account-namespace", help="Where it is [default: the destination's].", metavar="NAME")
]


@command(
    group,
    "add-destination-service-account",
    examples=("tiphys proj add-destination-service-account team https://kubernetes.default.svc 'team-*' deployer",),
)
async def add_destination_service_account(
    where: Where, name: Name, server: Server, place: Namespace, account: Account, home: Home = ""
) -> None:
    """Name the ServiceAccount that syncs to a destination act as."""
    from services.cli.project import rules

    full = f"{home}:{account}" if home else account
    rule = {"server": server, "namespace": place, "defaultServiceAccount": full}
    await rules.account(where, name, rule)


@command(
    group,
    "remove-destination-service-account",
    examples=("tiphys proj remove-destination-service-account team https://kubernetes.default.svc 'team-*' deployer",),
)
async def remove_destination_service_account(
    where: Where,
    name: Name,
    server: Server,
    place: Namespace,
    account: Annotated[str, typer.Argument(help="Only this one.", metavar="ACCOUNT")] = "",
    home: Home = "",
) -> None:
    """Forget the ServiceAccount of a destination."""
    from services.cli.project import rules

    full = f"{home}:{account}" if home and account else account
    await rules.no_account(where, name, server, place, full)


@command(
    group,
    "allow-cluster-resource",
    examples=("tiphys proj allow-cluster-resource team '' Namespace 'team-*'",),
)
async def allow_cluster_resource(
    where: Where, name: Name, group_: Group, kind: Kind, only: ResourceName = "", in_list: ListChoice = InList.ALLOW
) -> None:
    """Allow a cluster-scoped kind."""
    await _kinds(where, name, "cluster", group_, kind, only, in_list, allow=True)


@command(group, "deny-cluster-resource", examples=("tiphys proj deny-cluster-resource team '' Namespace",))
async def deny_cluster_resource(
    where: Where, name: Name, group_: Group, kind: Kind, only: ResourceName = "", in_list: ListChoice = InList.ALLOW
) -> None:
    """Deny a cluster-scoped kind."""
    await _kinds(where, name, "cluster", group_, kind, only, in_list, allow=False)


@command(group, "allow-namespace-resource", examples=("tiphys proj allow-namespace-resource team apps Deployment",))
async def allow_namespace_resource(
    where: Where, name: Name, group_: Group, kind: Kind, in_list: ListChoice = InList.DENY
) -> None:
    """Allow a namespaced kind."""
    await _kinds(where, name, "namespace", group_, kind, "", in_list, allow=True)


@command(group, "deny-namespace-resource", examples=("tiphys proj deny-namespace-resource team '' Secret",))
async def deny_namespace_resource(
    where: Where, name: Name, group_: Group, kind: Kind, in_list: ListChoice = InList.DENY
) -> None:
    """Deny a namespaced kind."""
    await _kinds(where, name, "namespace", group_, kind, "", in_list, allow=False)


async def _kinds(
    where: Where, name: str, scope: str, group_: str, kind: str, only: str, in_list: InList, *, allow: bool
) -> None:
    from services.cli.project import rules

    rule = {"group": group_, "kind": kind} | ({"name": only} if only else {})
    await rules.kinds(where, name, scope, rule, allow=allow, in_list=in_list.value)
