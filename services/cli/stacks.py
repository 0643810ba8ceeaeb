"""up, down, run, status, demo, bench: from a person's words to services.stack, and back to words."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import aiohttp

from services.cli.doctor.local import ready_report
from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit_data, note, table
from services.stack import detach, notify, state
from services.stack import down as stopping
from services.stack.options import Options, address, free_port
from services.stack.state import StackState


def options_of(where: Where, listen: str, *, git: bool = False, node: str = "kwok") -> Options:
    host, port = address(listen)
    kubeconfig = where.kubeconfig.expanduser().absolute() if where.kubeconfig else None
    if kubeconfig and not kubeconfig.exists():
        raise CliError(f"there is no file {kubeconfig}", hint="--kubeconfig names a kubeconfig file", code=Exit.USAGE)
    return Options(
        data=where.data.expanduser().absolute(),
        host=host,
        port=port or free_port(host),
        namespace=where.namespace or "argocd",
        kubeconfig=kubeconfig,
        context=where.context,
        nats=where.nats,
        git=git,
        node=node,
    )


async def up(options: Options, *, detached: bool) -> None:
    if (found := state.running(options.data)) is not None:
        raise CliError(f"a stack already runs in {options.data}: {found.url}", hint="`tiphys status`, `tiphys down`")
    if detached:
        detach.start(options, note)
        note(f"running in the background; its log is {options.data / 'tiphys.log'}, `tiphys down` stops it")
        return
    from services.stack.up import up as run_up

    await run_up(options, notify.reporter())


async def down(where: Where) -> None:
    stopped = stopping.down(where.data.expanduser().absolute(), note)
    note("stopped; its data stays" if stopped else f"no stack runs in {where.data}")


async def run(where: Where, service: str, listen: str, chosen: Mapping[str, str]) -> None:
    from services.cli.target import bus_url, resolve
    from services.stack.alone import run_alone

    options = options_of(where, listen)
    target = resolve(where, state.running(options.data))
    settled = replace(
        options,
        kubeconfig=target.kubeconfig,
        context=target.context,
        namespace=target.namespace,
        nats=bus_url(target),
    )
    await run_alone(settled, service, chosen)


async def status(where: Where) -> Exit:
    found = state.running(where.data)
    if found is None:
        raise CliError(f"no stack runs in {where.data}", hint="`tiphys up --detach` starts one", code=Exit.UNREACHABLE)
    try:
        report = await ready_report(found)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise CliError("the stack does not answer", hint="`tiphys doctor`", code=Exit.UNREACHABLE) from error
    if where.output is Output.TABLE:
        _print_status(found, report["services"])
    else:
        emit_data(where.output, {**found.model_dump(mode="json"), "readiness": report})
    return Exit.OK if report["ready"] else Exit.FAILED


def _print_status(found: StackState, services: dict[str, dict[str, object]]) -> None:
    rows = [
        ("process", str(found.process.pid)),
        ("since", found.started_at),
        ("webhooks", f"{found.url}/api/webhook"),
        ("health", f"{found.health_url}/readyz"),
        ("bus", found.nats_url),
        ("kubeconfig", found.kubeconfig),
        ("namespace", found.namespace),
        ("git", found.git_url or "not served"),
    ]
    table((), rows)
    print()
    table(("SERVICE", "STATE", "WHY"), [_service_row(name, service) for name, service in services.items()])


def _service_row(name: str, service: dict[str, object]) -> tuple[str, str, str]:
    parts = service["parts"]
    assert isinstance(parts, dict)
    why = "; ".join(f"{part}: {said.get('why', '')}" for part, said in parts.items() if not said["ready"])
    return name, "ready" if service["ready"] else "not ready", why


async def demo(where: Where, listen: str) -> None:
    from services.stack.demo import show
    from shared.telemetry import configure

    configure("tiphys", json=False, level="ERROR")
    found = await show(options_of(where, listen, git=True), note)
    from services.cli.changes import print_timeline

    print_timeline(found.commit, list(found.events))
    print(found.farewell)


async def bench(where: Where, counts: tuple[int, ...], *, pushes: int, poll: bool, write: bool) -> None:
    from services.stack.bench.run import measure
    from shared.telemetry import configure

    configure("tiphys", json=False, level="ERROR")
    target = Path(__file__).parents[2] / "docs" / "benchmarks.md" if write else None
    figures = await measure(counts, pushes=pushes, poll=poll, target=target, report=note)
    if where.output is not Output.TABLE:
        emit_data(where.output, [asdict(one) for one in figures])


async def bench_hooks(count: int) -> None:
    from services.stack.bench.hooks import measure_hooks
    from shared.telemetry import configure

    configure("tiphys", json=False, level="ERROR")
    await measure_hooks(count, note)


async def bench_replicas(count: int) -> None:
    from services.stack.bench.replicas import measure_replicas
    from shared.telemetry import configure

    configure("tiphys", json=False, level="ERROR")
    await measure_replicas(count, note)
