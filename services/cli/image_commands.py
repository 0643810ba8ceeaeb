"""`tiphys image ...`: names, options and help of the commands on images; services/cli/image/ does the work."""

# ruff: noqa: PLR0917 - typer hands options over by name

from typing import Annotated

import typer

from services.cli.command import command
from services.cli.errors import Exit
from services.cli.options import Where

group = typer.Typer(help="Images: what is followed, why a version wins, updates, holds.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The Application: NAME or NAMESPACE/NAME.", metavar="APPLICATION")]
Alias = Annotated[str, typer.Argument(help="The image: its alias, or its name.", metavar="IMAGE")]
Maybe = Annotated[str, typer.Argument(help="The image: its alias, or its name [default: all].", metavar="IMAGE")]


@command(group, "list", examples=("tiphys image list", "tiphys image list web -o json"))
async def list_(
    where: Where,
    application: Annotated[str, typer.Argument(help="Only this Application's.", metavar="APPLICATION")] = "",
) -> None:
    """List the images that are followed: what runs, what the policy chooses, what is held."""
    from services.cli.image import read

    await read.show_list(where, application)


@command(group, "check", examples=("tiphys image check web", "tiphys image check web api"))
async def check(where: Where, application: Name, image: Maybe = "") -> Exit:
    """Look at an Application's images now, and write nothing; exit code 1 when one would be updated or fails."""
    from services.cli.image import write

    return await write.check(where, application, image, write=False)


@command(group, "update", examples=("tiphys image update web", "tiphys image update web api"))
async def update(where: Where, application: Name, image: Maybe = "") -> Exit:
    """Look at an Application's images now, and write what their policies choose."""
    from services.cli.image import write

    return await write.check(where, application, image, write=True)


@command(group, "explain", examples=("tiphys image explain web api", "tiphys image explain team/web api -o yaml"))
async def explain(
    where: Where,
    application: Name,
    image: Alias,
    all_tags: Annotated[bool, typer.Option("--all", help="Every tag, not only the first hundred.")] = False,
) -> None:
    """Show for one image which tags were seen, which rule dropped each, and why the winner won."""
    from services.cli.image import read

    await read.explain(where, application, image, everything=all_tags)


@command(group, "hold", examples=("tiphys image hold web api",))
async def hold(where: Where, application: Name, image: Alias) -> None:
    """Rest the updates of one image until it is resumed, or its constraint is written anew."""
    from services.cli.image import write

    await write.hold(where, application, image)


@command(group, "resume", examples=("tiphys image resume web api",))
async def resume(where: Where, application: Name, image: Alias) -> None:
    """Let the updates of one image go on."""
    from services.cli.image import write

    await write.resume(where, application, image)


@command(
    group,
    "test",
    examples=("tiphys image test nginx:~1.27", "tiphys image test ghcr.io/acme/web --strategy newest-build"),
)
async def try_(
    where: Where,
    image: Annotated[str, typer.Argument(help="NAME[:CONSTRAINT], as in an ImageUpdater.", metavar="IMAGE")],
    strategy: Annotated[str, typer.Option("--strategy", "--update-strategy", help="How to choose.")] = "semver",
    constraint: Annotated[
        str, typer.Option("--constraint", "--semver-constraint", help="Instead of the one above.")
    ] = "",
    allow_tags: Annotated[str, typer.Option("--allow-tags", help="any, or regexp:EXPRESSION.")] = "",
    ignore_tags: Annotated[list[str] | None, typer.Option("--ignore-tags", help="A glob; may be repeated.")] = None,
    platforms: Annotated[list[str] | None, typer.Option("--platforms", help="os/arch[/variant].")] = None,
    credentials: Annotated[str, typer.Option("--credentials", help="As a pull secret: pullsecret:ns/name.")] = "",
    pattern: Annotated[str, typer.Option("--pattern", help="For numerical and calver: an expression.")] = "",
    extract: Annotated[str, typer.Option("--extract", help="Its groups in their order, as $year.$month.")] = "",
    all_tags: Annotated[bool, typer.Option("--all", help="Every tag, not only the first hundred.")] = False,
) -> None:
    """Try a policy on a repository: which tag would be chosen, and why. Nothing is written."""
    from services.cli.image import read
    from shared.events.updater import TryImage

    question = TryImage(
        image=f"{image}:{constraint}" if constraint else image,
        strategy=strategy,
        allow_tags=allow_tags,
        ignore_tags=tuple(ignore_tags or ()),
        platforms=tuple(platforms or ()),
        pull_secret=credentials,
        tag_pattern=pattern,
        tag_extract=extract,
    )
    await read.try_policy(where, question, everything=all_tags)
