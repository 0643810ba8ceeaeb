"""Reading and writing Applications, as kubectl would: get, list, merge patch, delete. No decision is made here.

managedFields are left out, as kubectl does: nobody reads them, and they are half of every object.
"""

from dataclasses import dataclass
from typing import Any

from services.cli.errors import CliError, Exit
from services.cli.session import Session
from shared.kube import NotFound, Resource, verbs

Obj = dict[str, Any]


@dataclass(frozen=True)
class Named:
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


async def applications(session: Session) -> Resource:
    return await session.discovery.resource("argoproj.io", "Application")


def named(session: Session, word: str) -> Named:
    """NAME or NAMESPACE/NAME."""
    namespace, _, name = word.rpartition("/")
    return Named(namespace or session.namespace, name)


async def get(session: Session, app: Named) -> Obj:
    try:
        found = await verbs.get(session.cluster, await applications(session), app.namespace, app.name)
    except NotFound as error:
        raise CliError(
            f"there is no Application {app}", hint="`tiphys app list -A` shows what there is", code=Exit.NOT_FOUND
        ) from error
    found["metadata"].pop("managedFields", None)
    return found


async def list_(session: Session, namespace: str | None, selector: str) -> list[Obj]:
    found = await verbs.list_(session.cluster, await applications(session), namespace, label_selector=selector or None)
    for app in found:
        app["metadata"].pop("managedFields", None)
    return sorted(found, key=lambda app: (app["metadata"]["namespace"], app["metadata"]["name"]))


async def patch(session: Session, app: Named, change: Obj) -> Obj:
    return await verbs.patch(session.cluster, await applications(session), app.namespace, app.name, change)


async def delete(session: Session, app: Named) -> None:
    await verbs.delete(session.cluster, await applications(session), app.namespace, app.name)
