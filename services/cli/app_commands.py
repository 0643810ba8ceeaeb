"""`tiphys app ...`: names, options and help of the commands on Applications; services/cli/app/ does the work."""

# ruff: noqa: PLR0917, ASYNC109 - typer hands options over by name, and a timeout is what the person says

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.command import command
from services.cli.errors import Exit
from services.cli.options import Where

group = typer.Typer(help="Applications: list, compare, sync, wait, roll back.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The Application: NAME or NAMESPACE/NAME.", metavar="APPLICATION")]
Timeout = Annotated[float, typer.Option("--timeout", help="Seconds to wait.", metavar="SECONDS")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")]


class Cascade(StrEnum):
    FOREGROUND = "foreground"
    BACKGROUND = "background"
    NONE = "none"


@command(group, "list", examples=("tiphys app list", "tiphys app list -l team=web -o json"))
async def list_(
    where: Where,
    selector: Annotated[str, typer.Option("-l", "--selector", help="Only those with these labels.")] = "",
    project: Annotated[str, typer.Option("--project", help="Only those of this project.")] = "",
    all_namespaces: Annotated[bool, typer.Option("-A", "--all-namespaces", help="In every namespace.")] = False,
) -> None:
    """List Applications with their sync status, health and revision."""
    from services.cli.app import read

    await read.show_list(where, selector=selector, project=project, all_namespaces=all_namespaces)


@command(group, "get", examples=("tiphys app get web", "tiphys app get team/web -o yaml"))
async def get(where: Where, name: Name) -> None:
    """Show one Application and every object it manages."""
    from services.cli.app import read

    await read.show(where, name)


@command(group, "diff", examples=("tiphys app diff web", "tiphys app diff web --revision my-branch"))
async def diff(
    where: Where,
    name: Name,
    revision: Annotated[str | None, typer.Option("--revision", help="Another revision of its source.")] = None,
) -> Exit:
    """Show what a sync would change; exit code 1 when something differs. Secret values are hidden."""
    from services.cli.app import compare

    return await compare.show_diff(where, name, revision)


@command(group, "sync", examples=("tiphys app sync web", "tiphys app sync web --prune --resource apps:Deployment:web"))
async def sync(
    where: Where,
    name: Name,
    revision: Annotated[str | None, typer.Option("--revision", help="Sync to this revision.")] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Delete what is no longer in git.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, report what would happen.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Delete and create what cannot be changed.")] = False,
    resource: Annotated[list[str] | None, typer.Option("--resource", metavar="GROUP:KIND:NAME")] = None,
    option: Annotated[list[str] | None, typer.Option("--sync-option", metavar="NAME=VALUE")] = None,
    wait: Wait = True,
    timeout: Timeout = 300,
) -> None:
    """Start a sync by writing `operation` into the Application, and wait for its end."""
    from services.cli.app import write
    from services.cli.app.operation import SyncWish

    wish = SyncWish(revision, prune, dry_run, force, tuple(resource or ()), tuple(option or ()))
    await write.sync(where, name, wish, timeout=timeout if wait else None)


@command(group, "wait", examples=("tiphys app wait web", "tiphys app wait web --health --timeout 60"))
async def wait_(
    where: Where,
    name: Name,
    sync: Annotated[bool, typer.Option("--sync", help="Wait for Synced.")] = False,
    health: Annotated[bool, typer.Option("--health", help="Wait for Healthy.")] = False,
    operation: Annotated[bool, typer.Option("--operation", help="Wait for the running operation.")] = False,
    suspended: Annotated[bool, typer.Option("--suspended", help="Suspended is as good as Healthy.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Wait until the Application is gone.")] = False,
    revision: Annotated[
        str | None, typer.Option("--revision", help="Wait until it is compared with this commit.")
    ] = None,
    timeout: Timeout = 300,
) -> None:
    """Wait until an Application is Synced and Healthy with no operation running, or what the options say."""
    from services.cli.app import watch
    from services.cli.app.progress import Wanted

    every = not (sync or health or operation)
    wanted = Wanted(sync or every, health or every, operation or every, suspended, revision)
    await watch.wait(where, name, None if delete else wanted, timeout=timeout)


@command(group, "refresh", examples=("tiphys app refresh web", "tiphys app refresh web --hard"))
async def refresh(
    where: Where,
    name: Name,
    hard: Annotated[bool, typer.Option("--hard", help="Render anew as well.")] = False,
    timeout: Timeout = 60,
) -> None:
    """Compare with the newest revision now."""
    from services.cli.app import write

    await write.refresh(where, name, hard=hard, timeout=timeout)


@command(group, "history", examples=("tiphys app history web",))
async def history(where: Where, name: Name) -> None:
    """List what was deployed, with the ids that rollback takes."""
    from services.cli.app import read

    await read.show_history(where, name)


@command(group, "rollback", examples=("tiphys app rollback web", "tiphys app rollback web 3"))
async def rollback(
    where: Where,
    name: Name,
    entry: Annotated[
        int | None, typer.Argument(help="The history's id [default: the one before].", metavar="ID")
    ] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Delete what that revision did not have.")] = False,
    wait: Wait = True,
    timeout: Timeout = 300,
) -> None:
    """Sync to an earlier deployment; refused while the Application syncs automatically."""
    from services.cli.app import write

    await write.rollback(where, name, entry, prune=prune, timeout=timeout if wait else None)


@command(group, "delete", examples=("tiphys app delete web", "tiphys app delete web --cascade none"))
async def delete(
    where: Where,
    name: Name,
    cascade: Annotated[
        Cascade, typer.Option("--cascade", help="How its objects go; none: they stay.")
    ] = Cascade.FOREGROUND,
    wait: Wait = True,
    timeout: Timeout = 300,
) -> None:
    """Delete an Application and, unless --cascade none, everything it manages."""
    from services.cli.app import write

    await write.delete(where, name, cascade.value, timeout=timeout if wait else None)


@command(group, "manifests", examples=("tiphys app manifests web", "tiphys app manifests web --live -o json"))
async def manifests(
    where: Where,
    name: Name,
    live: Annotated[bool, typer.Option("--live", help="As they are in the cluster, not as in git.")] = False,
) -> None:
    """Print an Application's manifests. Secret values are hidden."""
    from services.cli.app import compare

    await compare.show_manifests(where, name, live=live, revision=None)


@command(group, "render", examples=("tiphys app render web --revision v2.0.0",))
async def render(
    where: Where,
    name: Name,
    revision: Annotated[str | None, typer.Option("--revision", help="Of its source [default: its own].")] = None,
) -> None:
    """Render an Application's source at a revision, and print what comes out."""
    from services.cli.app import compare

    await compare.show_manifests(where, name, live=False, revision=revision)
