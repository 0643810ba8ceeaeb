"""`tiphys proj role ...`: the roles of a project, their policies and groups."""

# ruff: noqa: PLR0917 - typer hands options over by name

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.command import command
from services.cli.options import Where

group = typer.Typer(help="Roles of a project: who may do what with it.", no_args_is_help=True)

Project = Annotated[str, typer.Argument(help="The project.", metavar="PROJECT")]
Role = Annotated[str, typer.Argument(help="The role.", metavar="ROLE")]
Action = Annotated[str, typer.Option("--action", "-a", help="get, create, update, delete, sync, ... or *.")]
About = Annotated[str, typer.Option("--object", help="Application or NAMESPACE/APPLICATION; globs.")]
Resource = Annotated[str, typer.Option("--resource", "-r", help="Of which kind the objects are.")]
People = Annotated[str, typer.Argument(help="The group, as the identity provider names it.", metavar="GROUP")]


class Effect(StrEnum):
    ALLOW = "allow"
    DENY = "deny"


Permission = Annotated[Effect, typer.Option("--permission", "-p", help="What the policy says.")]


@command(group, "list", examples=("tiphys proj role list team",))
async def list_(where: Where, project: Project) -> None:
    """List the roles of a project."""
    from services.cli.project import read

    await read.show_roles(where, project)


@command(group, "get", examples=("tiphys proj role get team dev",))
async def get(where: Where, project: Project, role: Role) -> None:
    """Show a role with its policies and groups."""
    from services.cli.project import read

    await read.show_role(where, project, role)


@command(group, "create", examples=("tiphys proj role create team dev --description 'May sync'",))
async def create(
    where: Where,
    project: Project,
    role: Role,
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
) -> None:
    """Create a role; it may nothing yet."""
    from services.cli.project import parts

    await parts.add_role(where, project, role, description)


@command(group, "delete", examples=("tiphys proj role delete team dev",))
async def delete(where: Where, project: Project, role: Role) -> None:
    """Delete a role."""
    from services.cli.project import parts

    await parts.delete_role(where, project, role)


@command(group, "add-policy", examples=("tiphys proj role add-policy team dev -a sync --object 'web-*'",))
async def add_policy(
    where: Where,
    project: Project,
    role: Role,
    action: Action,
    about: About,
    resource: Resource = "applications",
    permission: Permission = Effect.ALLOW,
) -> None:
    """Let a role do something, or forbid it."""
    from services.cli.project import parts

    line = parts.policy_line(project, role, resource, action, about, permission.value)
    await parts.policy(where, project, role, line, add=True)


@command(group, "remove-policy", examples=("tiphys proj role remove-policy team dev -a sync --object 'web-*'",))
async def remove_policy(
    where: Where,
    project: Project,
    role: Role,
    action: Action,
    about: About,
    resource: Resource = "applications",
    permission: Permission = Effect.ALLOW,
) -> None:
    """Take a policy out of a role."""
    from services.cli.project import parts

    line = parts.policy_line(project, role, resource, action, about, permission.value)
    await parts.policy(where, project, role, line, add=False)


@command(group, "add-group", examples=("tiphys proj role add-group team dev org:web",))
async def add_group(where: Where, project: Project, role: Role, people: People) -> None:
    """Give a role to a group of the identity provider."""
    from services.cli.project import parts

    await parts.group(where, project, role, people, add=True)


@command(group, "remove-group", examples=("tiphys proj role remove-group team dev org:web",))
async def remove_group(where: Where, project: Project, role: Role, people: People) -> None:
    """Take a role from a group."""
    from services.cli.project import parts

    await parts.group(where, project, role, people, add=False)


@command(group, "create-token", examples=("tiphys proj role create-token team ci --expires-in 720h",))
async def create_token(
    where: Where,
    project: Project,
    role: Role,
    expires_in: Annotated[
        str, typer.Option("--expires-in", "-e", help="How long it is good, as 12h; 0: for ever.", metavar="TIME")
    ] = "0",
    name: Annotated[str, typer.Option("--id", "-i", help="Its name [default: a random one].", metavar="ID")] = "",
) -> None:
    """Make a token for a role and show it, this once. Argo CD's API server takes it; Tiphys has no API for it yet."""
    from services.cli.project import tokens

    await tokens.create(where, project, role, tokens.lifetime(expires_in), name)


@command(group, "list-tokens", examples=("tiphys proj role list-tokens team ci",))
async def list_tokens(where: Where, project: Project, role: Role) -> None:
    """List the tokens of a role; never the tokens themselves."""
    from services.cli.project import tokens

    await tokens.show(where, project, role)


@command(group, "delete-token", examples=("tiphys proj role delete-token team ci 1764355200",))
async def delete_token(
    where: Where,
    project: Project,
    role: Role,
    which: Annotated[str, typer.Argument(help="Its id, or when it was issued (Unix seconds).", metavar="TOKEN")],
) -> None:
    """Take a token away: it is no good from now on."""
    from services.cli.project import tokens

    await tokens.delete(where, project, role, which)
