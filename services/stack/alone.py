"""`tiphys run SERVICE`: one service in this process, on a bus and a cluster that are there already."""

from collections.abc import Mapping
from typing import Any

from services.stack import install
from services.stack.options import Options
from services.stack.registry import run_service
from shared.run import Common, alone, configure_logs, load, opened, until_signal_or_done


async def run_alone(options: Options, service: str, chosen: Mapping[str, str]) -> None:
    """Until a signal; when the service fails so does the process, and whoever started it starts it again."""
    common = load(
        Common,
        nats_url=options.nats,
        namespace=options.namespace,
        kubeconfig=options.kubeconfig,
        kube_context=options.context,
        data=options.data,
        health_host="127.0.0.1",
        health_port=0,
    )
    configure_logs(common, service)
    overrides: dict[str, dict[str, Any]] = {
        "gateway": {"host": options.host, "port": options.port},
        "rollout_manager": dict(chosen),
    }

    async def life() -> None:
        async with opened(common, [service], process=service, overrides=overrides) as contexts:
            if service == "rollout_manager":
                await install.ensure_crds(contexts[service].cluster, part_of="argo-rollouts")
            await alone(contexts[service], run_service)

    await until_signal_or_done(life())
