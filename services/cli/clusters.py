"""`tiphys cluster ...`: the embedded Kubernetes of a folder, by itself."""

from typing import cast

from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit_data, note, table
from services.stack import cluster
from services.stack.cluster.layout import NodeKind


async def up(where: Where, node: str) -> None:
    info = await cluster.up(where.data / "cluster", node=cast("NodeKind", node), report=note)
    note(f"ready; export KUBECONFIG={info.kubeconfig}")
    note(f"kubectl is {cluster.kubectl_path(note)}")


async def down(where: Where, *, purge: bool) -> None:
    await cluster.down(where.data / "cluster", purge=purge, report=note)


async def status(where: Where) -> Exit:
    found = await cluster.status(where.data / "cluster")
    rows = [(part.name, str(part.pid or "-"), f"{part.memory_bytes / 1e6:.0f} MB") for part in found.parts]
    if where.output is Output.TABLE:
        print(f"{found.server}  {found.version or 'not ready'}  node: {found.node}  {found.memory_bytes / 1e6:.0f} MB")
        table(("PART", "PROCESS", "MEMORY"), rows)
    else:
        parts = {part.name: {"pid": part.pid, "memoryBytes": part.memory_bytes} for part in found.parts}
        emit_data(
            where.output,
            {
                "server": found.server,
                "version": found.version,
                "node": found.node,
                "ready": found.ready,
                "parts": parts,
            },
        )
    return Exit.OK if found.ready else Exit.FAILED


def kubeconfig(where: Where) -> None:
    path = cluster.kubeconfig(where.data / "cluster")
    if not path.exists():
        raise CliError(
            f"there is no cluster in {where.data}", hint="`tiphys cluster up` starts one", code=Exit.NOT_FOUND
        )
    print(path)
