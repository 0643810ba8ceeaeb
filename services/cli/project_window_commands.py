"""`tiphys proj windows ...`: when the Applications of a project may be synced."""

# ruff: noqa: PLR0917 - typer hands options over by name

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.command import command
from services.cli.options import Where

group = typer.Typer(help="Sync windows of a project.", no_args_is_help=True)

Project = Annotated[str, typer.Argument(help="The project.", metavar="PROJECT")]
Id = Annotated[int, typer.Argument(help="The window's ID, as `windows list` shows it.", metavar="ID")]


class Kind(StrEnum):
    ALLOW = "allow"
    DENY = "deny"


Schedule = Annotated[str | None, typer.Option("--schedule", help="When it opens, as cron has it.", metavar="CRON")]
Duration = Annotated[str | None, typer.Option("--duration", help="How long it is open: 30m, 1h.", metavar="TIME")]
Applications = Annotated[list[str] | None, typer.Option("--applications", help="Whom it concerns; globs.")]
Namespaces = Annotated[list[str] | None, typer.Option("--namespaces", help="Their destination namespaces; globs.")]
Clusters = Annotated[list[str] | None, typer.Option("--clusters", help="Their clusters; globs.")]
Manual = Annotated[bool | None, typer.Option("--manual-sync", help="A person may sync nevertheless.")]
Zone = Annotated[str | None, typer.Option("--time-zone", help="Of the schedule [default: UTC].", metavar="NAME")]
And = Annotated[bool | None, typer.Option("--use-and-operator", help="It concerns those whom every list names.")]
Overrun = Annotated[bool | None, typer.Option("--sync-overrun", help="What began while it was open may end.")]
Description = Annotated[str | None, typer.Option("--description", help="What it is for.")]


@command(group, "list", examples=("tiphys proj windows list team",))
async def list_(where: Where, project: Project) -> None:
    """List the sync windows of a project, with their IDs."""
    from services.cli.project import read

    await read.show_windows(where, project)


@command(
    group,
    "add",
    examples=("tiphys proj windows add team --kind deny --schedule '0 22 * * *' --duration 8h --applications '*'",),
)
async def add(
    where: Where,
    project: Project,
    schedule: Annotated[str, typer.Option("--schedule", help="When it opens, as cron has it.", metavar="CRON")],
    duration: Annotated[str, typer.Option("--duration", help="How long it is open: 30m, 1h.", metavar="TIME")],
    kind: Annotated[Kind, typer.Option("--kind", "-k", help="Whether syncs are allowed or denied in it.")] = Kind.ALLOW,
    applications: Applications = None,
    namespaces: Namespaces = None,
    clusters: Clusters = None,
    manual_sync: Manual = None,
    time_zone: Zone = None,
    and_operator: And = None,
    sync_overrun: Overrun = None,
    description: Description = None,
) -> None:
    """Add a sync window."""
    from services.cli.project import parts

    lists = (applications, namespaces, clusters)
    window = parts.Window(
        kind.value, schedule, duration, *lists, manual_sync, time_zone, and_operator, sync_overrun, description
    )
    await parts.add_window(where, project, window)


@command(group, "update", examples=("tiphys proj windows update team 0 --duration 2h",))
async def update(
    where: Where,
    project: Project,
    position: Id,
    schedule: Schedule = None,
    duration: Duration = None,
    applications: Applications = None,
    namespaces: Namespaces = None,
    clusters: Clusters = None,
    time_zone: Zone = None,
    and_operator: And = None,
    description: Description = None,
) -> None:
    """Change a sync window; what is not given stays."""
    from services.cli.project import parts

    lists = (applications, namespaces, clusters)
    window = parts.Window(None, schedule, duration, *lists, None, time_zone, and_operator, None, description)
    await parts.change_window(where, project, position, window)


@command(group, "delete", examples=("tiphys proj windows delete team 0",))
async def delete(where: Where, project: Project, position: Id) -> None:
    """Delete a sync window; those after it move up."""
    from services.cli.project import parts

    await parts.delete_window(where, project, position)


@command(group, "enable-manual-sync", examples=("tiphys proj windows enable-manual-sync team 0",))
async def enable_manual_sync(where: Where, project: Project, position: Id) -> None:
    """Let people sync even when this window forbids it."""
    from services.cli.project import parts

    await parts.change_window(where, project, position, parts.Window(manual_sync=True))


@command(group, "disable-manual-sync", examples=("tiphys proj windows disable-manual-sync team 0",))
async def disable_manual_sync(where: Where, project: Project, position: Id) -> None:
    """Hold people to this window as well."""
    from services.cli.project import parts

    await parts.change_window(where, project, position, parts.Window(manual_sync=False))


@command(group, "enable-sync-overrun", examples=("tiphys proj windows enable-sync-overrun team 0",))
async def enable_sync_overrun(where: Where, project: Project, position: Id) -> None:
    """Let a sync that began while it was allowed go on to its end."""
    from services.cli.project import parts

    await parts.change_window(where, project, position, parts.Window(sync_overrun=True))


@command(group, "disable-sync-overrun", examples=("tiphys proj windows disable-sync-overrun team 0",))
async def disable_sync_overrun(where: Where, project: Project, position: Id) -> None:
    """Stop a sync where the window forbids it, even one that began before."""
    from services.cli.project import parts

    await parts.change_window(where, project, position, parts.Window(sync_overrun=False))
