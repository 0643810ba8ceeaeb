"""`cluster list` and `cluster get`: what the Secrets say, and how the connections are as the reconciler knows them."""

from typing import Any

from services.cli.destination.known import Registered, registered
from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit, emit_data, note
from services.cli.session import Session, open_bus, open_cluster
from shared.events import AskClusters, ClusterConnection, RequestError
from shared.kinds.application import IN_CLUSTER

Obj = dict[str, Any]
HEADER = ("SERVER", "NAME", "VERSION", "STATUS", "MESSAGE", "PROJECT")
ASK_SECONDS = 30.0
NOT_SHOWN = "kubectl.kubernetes.io/last-applied-configuration"


async def show_list(where: Where) -> None:
    async with open_cluster(where) as session:
        found = await together(where, session, ())
    rows = [
        (one["server"], one["name"], state["serverVersion"], state["status"], state["message"], one["project"])
        for one in found
        if (state := one["connectionState"])
    ]
    emit(where.output, found, HEADER, rows)


async def show(where: Where, word: str) -> None:
    async with open_cluster(where) as session:
        found = await together(where, session, ())
    chosen = [one for one in found if word.rstrip("/") in {one["server"], one["name"]}]
    if not chosen:
        hint = "`tiphys cluster list` shows what there is"
        raise CliError(f"there is no cluster {word!r}", hint=hint, code=Exit.NOT_FOUND)
    emit_data(Output.YAML if where.output is Output.TABLE else where.output, chosen[0])


async def together(where: Where, session: Session, servers: tuple[str, ...]) -> list[Obj]:
    """The Secrets, each with its connection; where the reconciler can't be asked the state is Unknown."""
    secrets = {one.secret.server: one for one in await registered(session)}
    states = {one.server: one for one in await connections(where, servers)}
    return [entry(server, secrets.get(server), states.get(server)) for server in dict.fromkeys((IN_CLUSTER, *secrets))]


async def connections(where: Where, servers: tuple[str, ...]) -> tuple[ClusterConnection, ...]:
    try:
        async with open_bus(where) as bus:
            return (await bus.request(AskClusters(servers=servers), timeout=ASK_SECONDS)).clusters
    except (CliError, RequestError) as error:
        note(f"the connections are not known: {error}")
        return ()


def entry(server: str, known: Registered | None, state: ClusterConnection | None) -> Obj:
    """One cluster as people see it: no credentials, and nothing that may hold a copy of them."""
    secret = known.secret if known else None
    annotations = dict(secret.annotations) if secret else {}
    annotations.pop(NOT_SHOWN, None)
    return {
        "server": server,
        "name": secret.name if secret else "in-cluster",
        "project": secret.project if secret else "",
        "namespaces": list(secret.namespaces) if secret else [],
        "clusterResources": secret.cluster_resources if secret else False,
        "labels": secret.labels if secret else {},
        "annotations": annotations,
        "connectionState": {
            "status": state.status if state else "Unknown",
            "message": state.message if state else "",
            "serverVersion": state.version if state else "",
        },
        "info": {"kindsWatched": state.kinds if state else 0, "applications": state.applications if state else 0},
    }
