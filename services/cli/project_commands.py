"""`tiphys proj ...`: names, options and help of the commands on AppProjects; services/cli/project/ does the work."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli import project_integrity_commands, project_role_commands, project_window_commands
from services.cli.command import command
from services.cli.options import Where
from services.cli.project.wish import Wish

group = typer.Typer(help="Projects: what their Applications may do.", no_args_is_help=True)
group.add_typer(project_role_commands.group, name="role")
group.add_typer(project_window_commands.group, name="windows")
group.add_typer(project_integrity_commands.group, name="source-integrity")

Name = Annotated[str, typer.Argument(help="The project.", metavar="PROJECT")]
Written = Annotated[str | None, typer.Argument(help="The project; a file may name it.", metavar="PROJECT")]
File = Annotated[Path | None, typer.Option("-f", "--file", help="A manifest to begin with; -: stdin.", metavar="FILE")]


@command(group, "list", examples=("tiphys proj list", "tiphys proj list -o json"))
async def list_(where: Where) -> None:
    """List projects, with what is wrong with them."""
    from services.cli.project import read

    await read.show_list(where)


@command(group, "get", examples=("tiphys proj get team", "tiphys proj get team -o yaml"))
async def get(where: Where, name: Name) -> None:
    """Show everything that a project permits."""
    from services.cli.project import read

    await read.show(where, name)


@command(
    group,
    "create",
    examples=(
        "tiphys proj create team -s 'https://git.example.org/team/*' -d https://kubernetes.default.svc,team-*",
        "tiphys proj create -f project.yaml --upsert",
    ),
)
async def create(
    where: Where,
    wish: Wish,
    name: Written = None,
    file: File = None,
    upsert: Annotated[bool, typer.Option("--upsert", help="Change one that exists.")] = False,
) -> None:
    """Create a project; what it is not given it does not permit."""
    from services.cli.project import store, written

    await store.create(where, written.project_of(name, wish, file), upsert=upsert)


@command(
    group,
    "generate-spec",
    examples=("tiphys proj generate-spec team -s '*' > team.yaml", "tiphys proj generate-spec -f team.yaml -i -s '*'"),
)
def generate_spec(
    where: Where,
    wish: Wish,
    name: Written = None,
    file: File = None,
    inline: Annotated[bool, typer.Option("-i", "--inline", help="Write it back into the file.")] = False,
) -> None:
    """Print the manifest of a project as files and options say it; no cluster is asked."""
    from services.cli.errors import CliError, Exit
    from services.cli.project import written

    if inline and file in {None, written.STDIN}:
        raise CliError("--inline needs a --file that can be written", code=Exit.USAGE)
    written.generate(where, written.project_of(name, wish, file), file if inline else None)


@command(group, "edit", examples=("tiphys proj edit team", "KUBE_EDITOR='code --wait' tiphys proj edit team"))
async def edit(where: Where, name: Name) -> None:
    """Edit a project's spec in your editor; one that is wrong is shown again with what is wrong."""
    from services.cli.project import edit as editing

    await editing.edit(where, name)


@command(group, "set", examples=("tiphys proj set team --description 'The web team'", "tiphys proj set team -s '*'"))
async def set_(where: Where, wish: Wish, name: Name) -> None:
    """Set fields of a project; a list that is given takes the place of the one before."""
    from services.cli.project import rules

    await rules.set_(where, name, wish)


@command(group, "delete", examples=("tiphys proj delete team",))
async def delete(
    where: Where, names: Annotated[list[str], typer.Argument(help="The projects.", metavar="PROJECT...")]
) -> None:
    """Delete projects. One with the resources finalizer goes when no Application uses it any more."""
    from services.cli.project import store

    await store.delete(where, names)
