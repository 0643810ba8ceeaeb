"""`tiphys trace` and `tiphys events tail`: signatures and help; services/cli/changes.py reads the DELIVERY stream."""

from typing import Annotated

import typer

from services.cli.command import command
from services.cli.options import Where

events = typer.Typer(help="What the stack says on its bus.", no_args_is_help=True)

Since = Annotated[str, typer.Option("--since", help="How far back: 90s, 15m, 2h, 7d.", metavar="AGE")]


def register(app: typer.Typer) -> None:
    command(app, "trace", examples=("tiphys trace 1a2b3c4", "tiphys trace demo-web --since 2h"))(trace)
    app.add_typer(events, name="events")


async def trace(
    where: Where,
    change: Annotated[
        str, typer.Argument(help="A commit (or its beginning), or an Application.", metavar="COMMIT|APPLICATION")
    ],
    since: Since = "7d",
) -> None:
    """Show the way of a change: every step from the push to healthy, with its time."""
    from services.cli import changes

    await changes.trace(where, change, since)


@command(events, "tail", examples=("tiphys events tail", "tiphys events tail --application web -o json"))
async def tail(
    where: Where,
    application: Annotated[str, typer.Option("--application", help="Only this Application's.")] = "",
    since: Annotated[str, typer.Option("--since", help="Begin so far back: 90s, 15m, 2h.", metavar="AGE")] = "",
) -> None:
    """Follow what happens, one line an event, until Ctrl-C."""
    from services.cli import changes

    await changes.tail(where, application, since)
