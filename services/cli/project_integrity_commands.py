"""`tiphys proj source-integrity git policies ...`: whose signatures the commits of which repositories need."""

# ruff: noqa: PLR0917 - typer hands options over by name

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.command import command
from services.cli.options import Where

group = typer.Typer(help="What must be signed before it is synced.", no_args_is_help=True)
git = typer.Typer(help="Commits and tags in git.", no_args_is_help=True)
policies = typer.Typer(help="The policies, of which the first that names a repository counts.", no_args_is_help=True)
group.add_typer(git, name="git")
git.add_typer(policies, name="policies")

Project = Annotated[str, typer.Argument(help="The project.", metavar="PROJECT")]
Id = Annotated[int, typer.Argument(help="The policy's ID, as `policies list` shows it.", metavar="ID")]


class Mode(StrEnum):
    NONE = "none"
    HEAD = "head"
    STRICT = "strict"


MODE_HELP = "none: nothing is verified; head: the commit or tag; strict: all of its history."
Urls = Annotated[list[str] | None, typer.Option("--repo-url", help="A repository; globs, ! excludes.", metavar="URL")]
Keys = Annotated[list[str] | None, typer.Option("--gpg-key", help="A key that may sign.", metavar="ID")]


@command(policies, "list", examples=("tiphys proj source-integrity git policies list team",))
async def list_(where: Where, project: Project) -> None:
    """List the policies of a project, with their IDs."""
    from services.cli.project import read

    await read.show_policies(where, project)


@command(
    policies,
    "add",
    examples=(
        "tiphys proj source-integrity git policies add team --repo-url '*' --gpg-mode head --gpg-key 4AEE18F83AFDEB23",
    ),
)
async def add(
    where: Where,
    project: Project,
    urls: Annotated[list[str], typer.Option("--repo-url", help="A repository; globs, ! excludes.", metavar="URL")],
    mode: Annotated[Mode, typer.Option("--gpg-mode", help=MODE_HELP)],
    keys: Keys = None,
) -> None:
    """Add a policy after the others."""
    from services.cli.project import parts

    await parts.add_policy(where, project, urls, mode.value, keys or [])


@command(
    policies,
    "update",
    examples=("tiphys proj source-integrity git policies update team 0 --add-gpg-key 4AEE18F83AFDEB23",),
)
async def update(
    where: Where,
    project: Project,
    position: Id,
    mode: Annotated[Mode | None, typer.Option("--gpg-mode", help=MODE_HELP)] = None,
    urls: Urls = None,
    add_urls: Annotated[list[str] | None, typer.Option("--add-repo-url", help="One more.", metavar="URL")] = None,
    drop_urls: Annotated[list[str] | None, typer.Option("--delete-repo-url", help="One less.", metavar="URL")] = None,
    keys: Keys = None,
    add_keys: Annotated[list[str] | None, typer.Option("--add-gpg-key", help="One more.", metavar="ID")] = None,
    drop_keys: Annotated[list[str] | None, typer.Option("--delete-gpg-key", help="One less.", metavar="ID")] = None,
) -> None:
    """Change a policy; what is not given stays."""
    from services.cli.project import parts

    wish = parts.PolicyWish(mode.value if mode else None, urls, add_urls, drop_urls, keys, add_keys, drop_keys)
    await parts.change_policy(where, project, position, wish)


@command(policies, "delete", examples=("tiphys proj source-integrity git policies delete team 0",))
async def delete(where: Where, project: Project, position: Id) -> None:
    """Delete a policy; those after it move up."""
    from services.cli.project import parts

    await parts.delete_policy(where, project, position)
