"""Which cluster and which bus a command means: what the person named, else the running stack's; never a cluster
nobody named.

`resolve` is pure: the person's words and the state file in, a `Target` out. A kubeconfig from the environment or the
home folder is used only when the person names a context of it.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from services.cli.errors import CliError, Exit
from services.cli.options import Where
from services.stack.state import StackState


@dataclass(frozen=True)
class Target:
    kubeconfig: Path
    context: str | None
    namespace: str
    nats: str | None


def resolve(where: Where, state: StackState | None) -> Target:
    if where.kubeconfig or where.context:
        named = where.kubeconfig or _own_kubeconfig()
        same = state if state and Path(state.kubeconfig) == named and state.context == where.context else None
        return Target(
            named, where.context, where.namespace or "argocd", where.nats or (same.nats_url if same else None)
        )
    if state is None:
        raise CliError(
            f"no stack runs in {where.data} and no --kubeconfig was given",
            hint="`tiphys up --detach` starts one; --kubeconfig FILE names a cluster",
            code=Exit.UNREACHABLE,
        )
    namespace = where.namespace or state.namespace
    return Target(Path(state.kubeconfig), state.context, namespace, where.nats or state.nats_url)


def _own_kubeconfig() -> Path:
    return Path(os.environ.get("KUBECONFIG", "").split(os.pathsep)[0] or "~/.kube/config").expanduser()


def bus_url(target: Target) -> str:
    if target.nats is None:
        raise CliError(
            "this needs the bus, and none is known for that cluster",
            hint="give --nats URL, or leave --kubeconfig out to use the running stack",
            code=Exit.UNREACHABLE,
        )
    return target.nats
