"""Actions of resources, asked for over the bus: which there are, and doing one.

In: `ListActions`, `RunAction`. Out: their answers; a Kubernetes Event and `delivery.app.action` for what was done. Only
resources that the Application holds (or that these own) are touched, and only what its project permits is written.
Every refusal is a RequestError that says why. The person's own permissions are the asker's business.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

from services.reconciler.announce import announce
from services.reconciler.builtin_actions import BadParameters, Change, Run
from services.reconciler.destination import Destination
from services.reconciler.errors import ApplicationError
from services.reconciler.held import holds
from services.reconciler.keys import AppKey
from services.reconciler.known_actions import Known, ScriptRefused, known_actions
from services.reconciler.once import once
from services.reconciler.parts import Parts
from services.reconciler.permission import check_spec, objection, project_of
from services.reconciler.state import AppState, Obj
from shared.clock import now
from shared.engines.build import BuildError
from shared.engines.errors import EngineFailure
from shared.events import ActionChange, ActionDone, ListActions, RequestError, ResourceActions, ResourceRef, RunAction
from shared.kinds.refs import GroupKind, ResourceKey
from shared.kube import AlreadyExists, Conflict, KubeError, NotFound, Resource, verbs
from shared.merge import merge_patch_between

PAUSES = (0.0, 0.1, 0.3, 0.6, 1.0)
MANAGER = "argocd-server"


@dataclass(frozen=True, slots=True)
class Aim:
    """A resource that an Application holds, as it lives now."""

    state: AppState
    destination: Destination
    key: ResourceKey
    live: Obj


class Actions:
    """Answers both questions, on any replica, of any Application. A run goes on when nobody waits for it any more."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._runs: set[asyncio.Task[ActionDone]] = set()

    async def on_list(self, asked: ListActions) -> ResourceActions:
        """Say which actions a resource has."""
        aim = await find(self._parts, AppKey(asked.namespace, asked.name), asked.resource)
        return ResourceActions(actions=(await known(self._parts, aim)).actions)

    async def on_run(self, asked: RunAction) -> ActionDone:
        """Do an action, once for each request."""
        parts = self._parts
        task = asyncio.create_task(once(parts.bus, asked.request_id, lambda: run(parts, asked)))
        self._runs.add(task)
        task.add_done_callback(self._runs.discard)
        return await asyncio.shield(task)


async def find(parts: Parts, app: AppKey, resource: ResourceRef) -> Aim:
    """Give the live resource, if the Application holds it and its project permits it. Raises RequestError."""
    key = ResourceKey(resource.group, resource.kind, resource.namespace, resource.name)
    try:
        state = await application(parts, app)
        destination = await parts.destinations.get(
            parts.destinations.server_of(state.obj["spec"].get("destination") or {})
        )
        check_spec(parts, state)
        check(parts, state, destination, key)
        found = await destination.resource(key.group_kind)
        live = await verbs.get(destination.cluster, found, key.namespace or None, key.name)
        held = await holds(state.obj, destination, key, live)
    except NotFound as error:
        raise not_held(app, key) from error
    except KubeError as error:
        raise RequestError("ClusterFailed", error.message, retriable=error.retriable) from error
    except ApplicationError as error:
        raise RequestError("NotPermitted", error.message, retriable=error.retriable) from error
    if not held:
        raise not_held(app, key)
    return Aim(state, destination, key, live)


def not_held(app: AppKey, key: ResourceKey) -> RequestError:
    """What is not the Application's looks as if it did not exist."""
    text = f"the Application {app} holds no {key.kind} {key.name} in the namespace {key.namespace!r}"
    return RequestError("ResourceNotFound", text)


async def application(parts: Parts, key: AppKey) -> AppState:
    """Give an Application: as it is remembered, else as the API server has it. Raises RequestError."""
    known_state = parts.states.get(key)
    if known_state is not None and known_state.obj:
        return known_state
    missing = RequestError("ApplicationNotFound", f"there is no Application {key} in the namespaces that count")
    if not parts.known_applications.namespaces.includes(key.namespace):
        raise missing
    state = AppState(key)
    try:
        state.take(await verbs.get(parts.cluster, parts.applications, key.namespace, key.name))
    except NotFound as error:
        raise missing from error
    return state


def check(parts: Parts, state: AppState, destination: Destination, key: ResourceKey) -> None:
    """Raise RequestError where the project does not permit a resource."""
    why = objection(parts, project_of(parts, state), destination.server, key)
    if why:
        raise RequestError("NotPermitted", why)


async def known(parts: Parts, aim: Aim) -> Known:
    """Give the actions that the resource has. Raises RequestError."""
    try:
        return await known_actions(parts.argo, parts.engines, aim.live)
    except (EngineFailure, BuildError, ScriptRefused) as error:
        raise RequestError("ScriptFailed", f"actions of {aim.key.kind}: {error}") from error


async def run(parts: Parts, asked: RunAction) -> ActionDone:
    """Do an action; what somebody else changed meanwhile is read again."""
    suffix = hashlib.sha256(asked.request_id.encode()).hexdigest()[:10]
    for pause in PAUSES:
        await asyncio.sleep(pause)
        aim = await find(parts, AppKey(asked.namespace, asked.name), asked.resource)
        changes = await changes_of(parts, aim, asked, suffix)
        for change in changes:
            check_change(parts, aim, change)
        try:
            done = [await carry_out(aim, change, suffix) for change in patches_first(changes)]
        except Conflict as error:
            if pause == PAUSES[-1]:
                raise RequestError("Refused", error.message, retriable=True) from error
            continue
        except KubeError as error:
            raise RequestError("Refused", error.message, retriable=error.retriable) from error
        tell(parts, aim, asked)
        return ActionDone(changes=tuple(change for change in done if change))
    raise AssertionError("the last try answers or raises")


def patches_first(changes: list[Change]) -> list[Change]:
    """What may be refused goes first: nothing is created that a further try would meet."""
    return sorted(changes, key=lambda change: change.operation == "create")


async def changes_of(parts: Parts, aim: Aim, asked: RunAction, suffix: str) -> list[Change]:
    """Give what the action brings. Raises RequestError."""
    offered = await known(parts, aim)
    one = next((action for action in offered.actions if action.name == asked.action), None)
    what = f"{aim.key.kind} {aim.key.name}"
    if one is None:
        names = ", ".join(action.name for action in offered.actions) or "none"
        raise RequestError("UnknownAction", f"{what} has no action {asked.action!r}; it has {names}")
    if one.disabled:
        raise RequestError("ActionDisabled", f"{asked.action} makes no sense for {what} now")
    try:
        return await offered.perform(asked.action, Run(asked.parameters, now(), suffix))
    except BadParameters as error:
        raise RequestError("BadParameters", str(error)) from error
    except (EngineFailure, ScriptRefused) as error:
        raise RequestError("ScriptFailed", f"{asked.action} of {aim.key.kind}: {error}") from error


def check_change(parts: Parts, aim: Aim, change: Change) -> None:
    """Raise RequestError for a change of another object than was asked for, or one that the project doesn't permit."""
    key = ResourceKey.of(change.resource)
    if change.operation == "patch" and key != aim.key:
        raise RequestError("ScriptFailed", f"the action wants to change {key}, which is not the resource itself")
    check(parts, aim.state, aim.destination, key)


async def carry_out(aim: Aim, change: Change, suffix: str) -> ActionChange | None:
    """Write one change; None when nothing differs. Raises KubeError."""
    destination, obj = aim.destination, change.resource
    about = ResourceRef(**ResourceKey.of(obj)._asdict())
    resource = await destination.resource(GroupKind.of(obj))
    if change.operation == "create":
        try:
            await verbs.create(destination.cluster, resource, obj, manager=MANAGER)
        except AlreadyExists:
            if not about.name.endswith(suffix):  # only this very request makes names with this end
                raise
        return ActionChange(operation="create", resource=about)
    patch = merge_patch_between(aim.live, obj)
    status = {"status": patch.pop("status")} if "status" in patch and "status" in resource.subresources else {}
    version = aim.live["metadata"]["resourceVersion"] if holds_list(patch) or holds_list(status) else ""
    for part, below in ((patch, ""), (status, "status")):
        version = await patch_part(aim, resource, part, version, below) if part else version
    return ActionChange(operation="patch", resource=about) if patch or status else None


def holds_list(patch: Any) -> bool:
    """Tell whether a merge patch replaces a list: what others changed of it since it was read would be lost."""
    inner = patch.values() if isinstance(patch, dict) else ()
    return isinstance(patch, list) or any(map(holds_list, inner))


async def patch_part(aim: Aim, resource: Resource, patch: Obj, version: str, below: str) -> str:
    """Patch the object or a subresource, at this version only if one is given. Gives the next one, if so."""
    body = {**patch, "metadata": {**patch.get("metadata", {}), "resourceVersion": version}} if version else patch
    place = aim.key.namespace or None
    cluster = aim.destination.cluster
    done = await verbs.patch(cluster, resource, place, aim.key.name, body, manager=MANAGER, subresource=below)
    return str(done["metadata"]["resourceVersion"]) if version else ""


def tell(parts: Parts, aim: Aim, asked: RunAction) -> None:
    """Leave a trace: an Event of the Application, and one on the bus."""
    by = f" by {asked.requested_by}" if asked.requested_by else ""
    message = f"ran action {asked.action} on {aim.key.kind}/{aim.key.name} in namespace {aim.key.namespace!r}{by}"
    parts.recorder.record(aim.state.obj, "ResourceActionRan", message)
    announce(parts, aim.state, "action", resource=aim.key, status=asked.action, message=message)
