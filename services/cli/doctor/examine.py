"""Runs the checks that apply here and prints what they found; exit code 1 when something is wrong."""

from services.cli.doctor import bus, cluster, local
from services.cli.doctor.findings import Finding, wrong
from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit_data, paint
from services.cli.session import open_cluster
from services.cli.target import resolve
from services.stack import state


async def examine(where: Where) -> Exit:
    found = [*local.data_folder(where.data), *local.stack(where.data)]
    running = state.running(where.data)
    if running is not None:
        found += await local.readiness(running)
    if running is not None or where.kubeconfig or where.context:
        found += await _remote(where)
    _print(where.output, found)
    return Exit.OK if all(one.ok for one in found) else Exit.FAILED


async def _remote(where: Where) -> list[Finding]:
    target = resolve(where, state.running(where.data))
    found = await bus.check(target.nats) if target.nats else []
    try:
        async with open_cluster(where) as session:
            return [*found, *await cluster.check(session)]
    except CliError as error:
        return [*found, wrong(error.message, error.hint)]


def _print(output: Output, found: list[Finding]) -> None:
    if output is not Output.TABLE:
        emit_data(output, [{"ok": one.ok, "what": one.what, "advice": one.advice} for one in found])
        return
    for one in found:
        print(f"{paint(one.mark, 'green' if one.ok else 'red')} {one.what}")
        if one.advice:
            print(f"    {one.advice}")
