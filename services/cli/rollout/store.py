"""Reading and writing Rollouts and what belongs to them, as kubectl would. No decision is made here."""

from typing import Any

from services.cli.app.store import Named
from services.cli.errors import CliError, Exit
from services.cli.options import Where
from services.cli.rollout.control import Patches
from services.cli.session import Session
from shared.kube import ApiError, NotFound, Resource, UnknownKind, verbs
from shared.kube.verbs import JSON_PATCH

Obj = dict[str, Any]


async def kind_of(session: Session, kind: str = "Rollout") -> Resource:
    return await session.discovery.resource("argoproj.io", kind)


def named(where: Where, word: str) -> Named:
    """NAME or NAMESPACE/NAME."""
    namespace, _, name = word.rpartition("/")
    return Named(namespace or where.namespace or "default", name)


async def get(session: Session, wanted: Named, kind: str = "Rollout") -> Obj:
    try:
        found = await verbs.get(session.cluster, await kind_of(session, kind), wanted.namespace, wanted.name)
    except NotFound as error:
        raise _missing(wanted, kind) from error
    found["metadata"].pop("managedFields", None)
    return found


def _missing(wanted: Named, kind: str) -> CliError:
    hint = f"`tiphys rollout {'list -A' if kind == 'Rollout' else 'get ROLLOUT'}` shows what there is"
    return CliError(f"there is no {kind} {wanted}", hint=hint, code=Exit.NOT_FOUND)


async def list_(session: Session, namespace: str | None) -> list[Obj]:
    found = await verbs.list_(session.cluster, await kind_of(session), namespace)
    for one in found:
        one["metadata"].pop("managedFields", None)
    return sorted(found, key=lambda one: (one["metadata"]["namespace"], one["metadata"]["name"]))


async def owned(session: Session, rollout: Obj, group: str, kind: str) -> list[Obj]:
    """What a Rollout controls, newest first."""
    resource = await session.discovery.resource(group, kind)
    found = await verbs.list_(session.cluster, resource, rollout["metadata"]["namespace"])
    uid = rollout["metadata"]["uid"]
    mine = [one for one in found if any(owner["uid"] == uid for owner in one["metadata"].get("ownerReferences") or ())]
    return sorted(mine, key=lambda one: str(one["metadata"]["creationTimestamp"]), reverse=True)


async def write(session: Session, rollout: Named, patches: Patches) -> None:
    resource = await kind_of(session)
    if patches.spec is not None:
        await verbs.patch(session.cluster, resource, rollout.namespace, rollout.name, patches.spec)
    if patches.status is not None:
        body = {"status": patches.status}
        await verbs.patch(session.cluster, resource, rollout.namespace, rollout.name, body, subresource="status")


async def merge(session: Session, wanted: Named, kind: str, patch: Obj) -> None:
    """Patch an object of a kind that has no status subresource."""
    try:
        await verbs.patch(session.cluster, await kind_of(session, kind), wanted.namespace, wanted.name, patch)
    except NotFound as error:
        raise _missing(wanted, kind) from error


async def who(session: Session) -> str:
    """The name by which the API server knows who asks. CliError where it does not tell."""
    try:
        review = await session.discovery.resource("authentication.k8s.io", "SelfSubjectReview")
        body = {"apiVersion": review.api_version, "kind": review.kind}
        found = await verbs.create(session.cluster, review, body)
    except (UnknownKind, ApiError) as error:
        raise CliError("the API server does not say who you are: an approval needs a name") from error
    return str(found["status"]["userInfo"]["username"])


async def replace_template(session: Session, rollout: Obj, template: Obj) -> None:
    """The whole template, in the Rollout or in the workload that it refers to."""
    reference = rollout["spec"].get("workloadRef")
    namespace, name = rollout["metadata"]["namespace"], rollout["metadata"]["name"]
    resource = await kind_of(session)
    if reference:
        resource = await session.discovery.resource(reference["apiVersion"].rpartition("/")[0], reference["kind"])
        name = reference["name"]
    operation = [{"op": "replace", "path": "/spec/template", "value": template}]
    await verbs.patch(session.cluster, resource, namespace, name, operation, content_type=JSON_PATCH)
