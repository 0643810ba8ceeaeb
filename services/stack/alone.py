"""`tiphys run SERVICE`: one service in this process, on a bus and a cluster that are there already."""

from services.stack.options import Options
from services.stack.registry import run_service
from shared.run import Common, alone, configure_logs, load, opened, until_signal_or_done


async def run_alone(options: Options, service: str) -> None:
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
    overrides = {"gateway": {"host": options.host, "port": options.port}}

    async def life() -> None:
        async with opened(common, [service], process=service, overrides=overrides) as contexts:
            await alone(contexts[service], run_service)

    await until_signal_or_done(life())
