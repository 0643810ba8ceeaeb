"""Reading and writing AppProjects: every change is checked before it is written, and written only on what was read."""

from typing import Any

from services.cli.errors import CliError, Exit
from services.cli.options import Where
from services.cli.output import note
from services.cli.project.change import Change
from services.cli.session import Session, open_cluster
from shared.kinds.application import InvalidObject
from shared.kinds.appproject import AppProject
from shared.kinds.projectvalidation import problems
from shared.kube import AlreadyExists, Conflict, NotFound, Resource, verbs
from shared.merge import merge_patch_between

Obj = dict[str, Any]
KIND = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject"}


async def projects(session: Session) -> Resource:
    return await session.discovery.resource("argoproj.io", "AppProject")


async def list_(session: Session) -> list[Obj]:
    found = await verbs.list_(session.cluster, await projects(session), session.namespace)
    for project in found:
        project["metadata"].pop("managedFields", None)
    return sorted(found, key=lambda project: str(project["metadata"]["name"]))


async def get(session: Session, name: str) -> Obj:
    try:
        found = await verbs.get(session.cluster, await projects(session), session.namespace, name)
    except NotFound as error:
        hint = "`tiphys proj list` shows what there is"
        raise CliError(f"there is no project {name}", hint=hint, code=Exit.NOT_FOUND) from error
    found["metadata"].pop("managedFields", None)
    return found


def wrong(project: Obj) -> list[str]:
    """Give what is wrong with a project."""
    try:
        return problems(AppProject.parse(project))
    except InvalidObject as error:
        return list(error.problems)


def check(after: Obj, before: Obj | None = None) -> None:
    """Refuse a change that makes a project invalid; what was wrong before is no reason."""
    known = wrong(before) if before else []
    fresh = [problem for problem in wrong(after) if problem not in known]
    if fresh:
        raise CliError(f"this would make the project invalid: {'; '.join(fresh)}", hint="nothing was changed")


async def create(where: Where, project: Obj, *, upsert: bool) -> None:
    name = project["metadata"]["name"]
    async with open_cluster(where) as session:
        project = {**project, "metadata": {**project["metadata"], "namespace": session.namespace}}
        check(project)
        try:
            await verbs.create(session.cluster, await projects(session), project)
            done = "created"
        except AlreadyExists as error:
            if not upsert:
                hint = "--upsert changes one that exists"
                raise CliError(f"there is a project {name} already", hint=hint) from error
            await write(session, await get(session, name), project["spec"])
            done = "changed"
    note(f"project {name} {done}")


async def edit(where: Where, name: str, change: Change, said: str, *, status: Change | None = None) -> None:
    """Change a project's spec, and what of its status follows from that."""
    async with open_cluster(where) as session:
        before = await get(session, name)
        spec = change(dict(before.get("spec") or {}))
        await write(session, before, spec, status(spec) if status else {})
    note(f"project {name}: {said}")


async def write(session: Session, before: Obj, spec: Obj, status: Obj | None = None) -> None:
    """Put a spec in the place of the one that was read. Raises CliError: it is wrong, or not what was read any more."""
    check({**before, "spec": spec}, before)
    patch = merge_patch_between(before.get("spec") or {}, spec)
    if not patch:
        return
    metadata = {"resourceVersion": before["metadata"]["resourceVersion"]}
    body = {"metadata": metadata, "spec": patch, **({"status": status} if status else {})}
    try:
        await verbs.patch(session.cluster, await projects(session), session.namespace, before["metadata"]["name"], body)
    except Conflict as error:
        raise CliError("somebody else changed the project meanwhile", hint="try again") from error


async def delete(where: Where, names: list[str]) -> None:
    async with open_cluster(where) as session:
        for name in names:
            await get(session, name)
            await verbs.delete(session.cluster, await projects(session), session.namespace, name)
            note(f"project {name} deleted")
