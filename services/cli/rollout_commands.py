"""`tiphys rollout ...`: names, options and help of the commands on Rollouts; services/cli/rollout/ does the work."""

# ruff: noqa: ASYNC109 - a timeout is what the person says

from pathlib import Path
from typing import Annotated

import typer

from services.cli.command import command
from services.cli.errors import Exit
from services.cli.options import Where

group = typer.Typer(help="Rollouts: list, follow, promote, abort, roll back, check.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The Rollout: NAME or NAMESPACE/NAME.", metavar="ROLLOUT")]
Experiment = Annotated[str, typer.Argument(help="The Experiment: NAME or NAMESPACE/NAME.", metavar="EXPERIMENT")]
Run = Annotated[str, typer.Argument(help="The AnalysisRun: NAME or NAMESPACE/NAME.", metavar="ANALYSISRUN")]


@command(group, "list", examples=("tiphys rollout list -A", "tiphys rollout list -n shop -o json"))
async def list_(
    where: Where,
    all_namespaces: Annotated[bool, typer.Option("-A", "--all-namespaces", help="In every namespace.")] = False,
) -> None:
    """List Rollouts with their status, step, weight and pods."""
    from services.cli.rollout import read

    await read.show_list(where, all_namespaces=all_namespaces)


@command(group, "get", examples=("tiphys rollout get shop/web", "tiphys rollout get shop/web -w"))
async def get(
    where: Where,
    name: Name,
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Print every change until interrupted.")] = False,
) -> None:
    """Show one Rollout, its ReplicaSets, analyses and experiments."""
    from services.cli.rollout import read

    await read.show(where, name, watch=watch)


@command(group, "status", examples=("tiphys rollout status shop/web --watch --timeout 600",))
async def status(
    where: Where,
    name: Name,
    watch: Annotated[bool, typer.Option("-w", "--watch/--no-watch", help="Wait for Healthy or Degraded.")] = True,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to wait; 0: for ever.", metavar="SECONDS")] = 0,
) -> Exit:
    """Follow a Rollout to its end; exit code 1 when it is Degraded."""
    from services.cli.rollout import read

    return await read.show_status(where, name, watch=watch, timeout=timeout)


@command(group, "promote", examples=("tiphys rollout promote shop/web", "tiphys rollout promote shop/web --full"))
async def promote(
    where: Where,
    name: Name,
    full: Annotated[bool, typer.Option("--full", help="Skip all steps, pauses and analyses that are left.")] = False,
) -> None:
    """End a pause, or take the next step."""
    from services.cli.rollout import control, write

    await write.change(where, name, lambda rollout: control.promote(rollout, full=full), "promoted")


@command(group, "approve", examples=('tiphys rollout approve shop/web --reason "looked at the dashboards"',))
async def approve(
    where: Where,
    name: Name,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is written down with your name.", metavar="TEXT")],
) -> None:
    """Open the gate that waits for a person's approval."""
    from services.cli.rollout import write

    await write.approve(where, name, reason)


@command(group, "skip", examples=("tiphys rollout skip shop/web",))
async def skip(where: Where, name: Name) -> None:
    """Skip the current step, whatever it waits for."""
    from services.cli.rollout import control, write

    await write.change(where, name, control.skip, "skipped a step")


@command(group, "pause", examples=("tiphys rollout pause shop/web",))
async def pause(where: Where, name: Name) -> None:
    """Hold a Rollout where it is; only its number of pods can change."""
    from services.cli.rollout import control, write

    await write.change(where, name, control.pause, "paused")


@command(group, "resume", examples=("tiphys rollout resume shop/web",))
async def resume(where: Where, name: Name) -> None:
    """Let a Rollout that was held go on."""
    from services.cli.rollout import control, write

    await write.change(where, name, control.resume, "resumed")


@command(group, "abort", examples=("tiphys rollout abort shop/web",))
async def abort(where: Where, name: Name) -> None:
    """Go back to the stable version now."""
    from services.cli.rollout import control, write

    await write.change(where, name, control.abort, "aborted")


@command(group, "retry", examples=("tiphys rollout retry shop/web",))
async def retry(where: Where, name: Name) -> None:
    """Begin an aborted update again."""
    from services.cli.rollout import control, write

    await write.change(where, name, control.retry, "retried")


@command(group, "restart", examples=("tiphys rollout restart shop/web",))
async def restart(where: Where, name: Name) -> None:
    """Replace all pods, a few at a time."""
    from services.cli.rollout import control, write
    from shared.clock import now

    await write.change(where, name, lambda rollout: control.restart(rollout, now()), "restarts")


@command(group, "undo", examples=("tiphys rollout undo shop/web", "tiphys rollout undo shop/web --to-revision 3"))
async def undo(
    where: Where,
    name: Name,
    revision: Annotated[int | None, typer.Option("--to-revision", help="Which one [default: the one before].")] = None,
) -> None:
    """Give a Rollout the pod template of an earlier revision."""
    from services.cli.rollout import write

    await write.undo(where, name, revision)


@command(group, "set-image", examples=("tiphys rollout set-image shop/web web=registry.example.org/web:2",))
async def set_image(
    where: Where,
    name: Name,
    images: Annotated[
        list[str], typer.Argument(help="Which container gets which image; *: all.", metavar="NAME=IMAGE")
    ],
) -> None:
    """Change the images of containers."""
    from services.cli.rollout import control, write

    wanted = write.images(images)
    await write.change(where, name, lambda rollout: control.set_image(rollout, wanted), "has new images")


@command(group, "get-experiment", examples=("tiphys rollout get-experiment shop/ab -w",))
async def get_experiment(
    where: Where,
    name: Experiment,
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Print every change until interrupted.")] = False,
) -> None:
    """Show one Experiment, its templates and analyses."""
    from services.cli.rollout import experiment

    await experiment.show(where, name, watch=watch)


@command(group, "retry-experiment", examples=("tiphys rollout retry-experiment shop/ab",))
async def retry_experiment(where: Where, name: Experiment) -> None:
    """Begin an Experiment that has ended again."""
    from services.cli.rollout import experiment

    await experiment.retry(where, name)


@command(group, "terminate-experiment", examples=("tiphys rollout terminate-experiment shop/ab",))
async def terminate_experiment(where: Where, name: Experiment) -> None:
    """End an Experiment now; its pods are scaled down."""
    from services.cli.rollout import experiment

    await experiment.terminate(where, name, "Experiment")


@command(group, "terminate-analysisrun", examples=("tiphys rollout terminate-analysisrun shop/web-5d9-2",))
async def terminate_analysisrun(where: Where, name: Run) -> None:
    """End an AnalysisRun now; it is as good as what it has measured."""
    from services.cli.rollout import experiment

    await experiment.terminate(where, name, "AnalysisRun")


@command(group, "create", examples=("tiphys rollout create -f rollout.yaml", "tiphys rollout create -f run.yaml"))
async def create(
    where: Where,
    files: Annotated[list[Path], typer.Option("-f", "--filename", help="Manifests.", metavar="FILE")],
) -> None:
    """Create Rollouts, Experiments, AnalysisRuns and their templates of files."""
    from services.cli.rollout import manifests

    await manifests.create(where, files)


@command(group, "lint", examples=("tiphys rollout lint rollout.yaml",))
async def lint(
    where: Where, files: Annotated[list[Path], typer.Argument(help="Manifests.", metavar="FILE...")]
) -> Exit:
    """Find every error of the Rollouts in some files, without a cluster; exit code 1 when there is one."""
    from services.cli.rollout import lint as checks

    return await checks.lint(where, files)
