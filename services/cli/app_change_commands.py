"""`tiphys app create|set|unset|patch|terminate-op|confirm-deletion|resources|actions|windows`: names, options and help;
services/cli/app/ does the work.
"""

# ruff: noqa: PLR0917 - typer hands options over by name

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.app_commands import Name, group
from services.cli.command import command
from services.cli.options import Where
from services.cli.specified import specified

if TYPE_CHECKING:
    from services.cli.app.edit import Change

__all__ = ["group"]
actions = typer.Typer(help="What can be done to the objects of an Application.", no_args_is_help=True)
group.add_typer(actions, name="actions")

Resource = Annotated[
    str, typer.Option("--resource", help="One object of the Application.", metavar="GROUP:KIND:[NAMESPACE/]NAME")
]


class PatchType(StrEnum):
    MERGE = "merge"
    JSON = "json"


@command(
    group,
    "create",
    examples=(
        "tiphys app create web --repo https://git.example.org/apps.git --path web --dest-namespace web",
        "tiphys app create web --file app.yaml --sync-policy automated",
    ),
)
@specified
async def create(
    where: Where,
    name: Name,
    change: "Change",
    file: Annotated[Path | None, typer.Option("-f", "--file", help="Begin with this manifest.", metavar="FILE")] = None,
    cascade: Annotated[bool, typer.Option("--set-finalizer", help="Deleting it deletes its objects.")] = False,
    upsert: Annotated[bool, typer.Option("--upsert", help="Change it where it exists.")] = False,
) -> None:
    """Create an Application. Nothing is written when its spec is wrong."""
    from services.cli.app import change as doing

    await doing.create(where, name, file, change, cascade=cascade, upsert=upsert)


@command(
    group, "set", examples=("tiphys app set web --revision v2 -p image.tag=2.0", "tiphys app set web --auto-prune")
)
@specified
async def set_(where: Where, name: Name, change: "Change") -> None:
    """Change an Application's spec; what is not named stays as it is."""
    from services.cli.app import change as doing

    await doing.set_(where, name, change)


@command(group, "unset", examples=("tiphys app unset web -p image.tag", "tiphys app unset web --kustomize-image nginx"))
async def unset(
    where: Where,
    name: Name,
    parameter: Annotated[list[str] | None, typer.Option("-p", "--parameter", metavar="NAME")] = None,
    values: Annotated[list[str] | None, typer.Option("--values", metavar="FILE")] = None,
    image: Annotated[list[str] | None, typer.Option("--kustomize-image", metavar="NAME")] = None,
    helm_values: Annotated[bool, typer.Option("--helm-values", help="The inline values.")] = False,
    nameprefix: Annotated[bool, typer.Option("--nameprefix", help="Kustomize's prefix.")] = False,
    namesuffix: Annotated[bool, typer.Option("--namesuffix", help="Kustomize's suffix.")] = False,
    source_position: Annotated[int | None, typer.Option("--source-position", help="Of several sources.")] = None,
) -> None:
    """Take overrides out of an Application's source."""
    from services.cli.app import change as doing
    from services.cli.app.edit import Removal

    flags = {("helm", "values"): helm_values, ("kustomize", "namePrefix"): nameprefix}
    flags[("kustomize", "nameSuffix")] = namesuffix
    paths = tuple(path for path, given in flags.items() if given)
    named, files, images = (tuple(given or ()) for given in (parameter, values, image))
    await doing.unset(where, name, Removal(paths, named, files, images, source_position))


@command(
    group,
    "patch",
    examples=("""tiphys app patch web --patch '{"spec": {"source": {"targetRevision": "v2"}}}'""",),
)
async def patch(
    where: Where,
    name: Name,
    body: Annotated[str, typer.Option("--patch", help="The patch, as JSON.", metavar="JSON")],
    kind: Annotated[PatchType, typer.Option("--type", help="merge (RFC 7396) or json (RFC 6902).")] = PatchType.MERGE,
) -> None:
    """Patch an Application."""
    from services.cli.app import change as doing

    await doing.patch(where, name, body, kind.value)


@command(group, "terminate-op", examples=("tiphys app terminate-op web",))
async def terminate_op(where: Where, name: Name) -> None:
    """End the operation that runs; its hooks are deleted."""
    from services.cli.app import change as doing

    await doing.terminate(where, name)


@command(group, "confirm-deletion", examples=("tiphys app confirm-deletion web",))
async def confirm_deletion(where: Where, name: Name) -> None:
    """Let what asks for confirmation (Prune=confirm, Delete=confirm) be deleted by the operation that waits for it."""
    from services.cli.app import change as doing

    await doing.confirm(where, name)


@command(group, "resources", examples=("tiphys app resources web", "tiphys app resources web --out-of-sync -o json"))
async def resources(
    where: Where,
    name: Name,
    kind: Annotated[str, typer.Option("--kind", help="Only objects of this kind.")] = "",
    differing: Annotated[bool, typer.Option("--out-of-sync", help="Only what is not as git has it.")] = False,
) -> None:
    """List the objects that an Application manages."""
    from services.cli.app import resources as doing

    await doing.show_resources(where, name, kind=kind, differing=differing)


@command(actions, "list", examples=("tiphys app actions list web --resource apps:Deployment:web",))
async def actions_list(where: Where, name: Name, resource: Resource) -> None:
    """List what can be done to an object now."""
    from services.cli.app import resources as doing

    await doing.show_actions(where, name, resource)


@command(
    actions,
    "run",
    examples=(
        "tiphys app actions run web restart --resource apps:Deployment:web",
        "tiphys app actions run web scale --resource apps:Deployment:web -p replicas=3",
    ),
)
async def actions_run(
    where: Where,
    name: Name,
    action: Annotated[str, typer.Argument(help="Its name; `actions list` shows them.", metavar="ACTION")],
    resource: Resource,
    parameter: Annotated[list[str] | None, typer.Option("-p", "--parameter", metavar="NAME=VALUE")] = None,
) -> None:
    """Do something to an object of an Application, as its project permits."""
    from services.cli.app import resources as doing

    await doing.run_action(where, name, action, resource, tuple(parameter or ()))


@command(group, "windows", examples=("tiphys app windows web",))
async def windows(where: Where, name: Name) -> None:
    """Show the sync windows that concern an Application, and whether it may sync now."""
    from services.cli.app import windows as doing

    await doing.show(where, name)
