"""`app diff`, `manifests`, `render`: what the source says, what the cluster has, and what a sync would make of it.

The desired manifests come from the renderer over the bus, at the revision git_watcher resolves; what they would become
is the API server's own answer to a dry run, so defaults and webhooks are no differences.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import orjson

from services.cli.app import store, view
from services.cli.app.difference import difference, masked
from services.cli.app.leaving_out import LeavingOut
from services.cli.errors import Exit
from services.cli.options import Output, Where
from services.cli.output import emit_data, note, paint
from services.cli.session import Session, open_bus, open_cluster
from shared.bus import Bus
from shared.events import RenderRequest, RenderSource, ResolveChart, ResolveRevision
from shared.kinds.settings import ArgoSettings
from shared.kube import ApiError, NotFound, Resource, verbs
from shared.merge import hide_values
from shared.run.context import EnginesOnce

Obj = dict[str, Any]
_MANAGER = "argocd-controller"
_RENDERING = ("kustomize.", "helm.", "jsonnet.")


@dataclass(frozen=True)
class Place:
    resource: Resource
    namespace: str | None
    name: str


async def show_manifests(where: Where, name: str, *, live: bool, revision: str | None) -> None:
    async with open_cluster(where) as session:
        app = await store.get(session, store.named(session, name))
        if live:
            found = [obj for obj in [await _live(session, *key) for key in managed(app)] if obj]
        else:
            async with open_bus(where) as bus:
                found = await rendered(session, bus, app, revision)
    output = Output.YAML if where.output is Output.TABLE else where.output
    objects = [masked(obj) for obj in found]
    if output is Output.JSON:
        emit_data(output, objects)
        return
    for obj in objects:
        print("---")
        emit_data(output, obj)


async def show_diff(where: Where, name: str, revision: str | None) -> Exit:
    async with open_cluster(where) as session, open_bus(where) as bus, AsyncExitStack() as closing:
        app = await store.get(session, store.named(session, name))
        desired = await rendered(session, bus, app, revision)
        settings = ArgoSettings.from_configmap(await _config(session))
        leaving_out = LeavingOut(app, settings, EnginesOnce(1, closing))
        chunks = [await _changed(session, app, obj, leaving_out) for obj in desired]
        chunks += await _extra(session, app, desired)
    lines = [line for chunk in chunks for line in chunk]
    for line in lines:
        print(_coloured(line))
    if not lines:
        note(f"{view.identity(app)}: nothing differs")
    return Exit.FAILED if lines else Exit.OK


def _coloured(line: str) -> str:
    colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
    return paint(line, colour) if colour else line


async def _changed(session: Session, app: Obj, desired: Obj, leaving_out: LeavingOut) -> list[str]:
    place = await _place(session, app, desired)
    target = {
        **desired,
        "metadata": {**desired["metadata"], **({"namespace": place.namespace} if place.namespace else {})},
    }
    version = await session.discovery.resource(place.resource.group, place.resource.kind, version_of(desired))
    try:
        live = await verbs.get(session.cluster, version, place.namespace, place.name)
    except NotFound:
        return difference(None, target)
    refused = []
    try:
        after = await verbs.apply(session.cluster, version, target, manager=_MANAGER, force=True, dry_run=True)
    except ApiError as error:
        after, refused = target, [f"! a sync would be refused: {hide_values(error.message, target)}"]
    return [*difference(*await leaving_out.from_both(live, after)), *refused]


def version_of(obj: Obj) -> str:
    return str(obj["apiVersion"]).rpartition("/")[2]


async def _place(session: Session, app: Obj, obj: Obj) -> Place:
    resource = await session.discovery.resource(obj["apiVersion"].rpartition("/")[0], obj["kind"])
    own = view.at(obj, "metadata", "namespace") or view.text(app, "spec", "destination", "namespace")
    return Place(resource, own if resource.namespaced else None, view.text(obj, "metadata", "name"))


async def _extra(session: Session, app: Obj, desired: list[Obj]) -> list[list[str]]:
    """Objects that are live and managed but no longer in the source."""
    wanted = set()
    for obj in desired:
        place = await _place(session, app, obj)
        wanted.add((place.resource.group, place.resource.kind, place.namespace or "", place.name))
    extra = [await _live(session, *key) for key in managed(app) if key not in wanted]
    return [difference(obj, None) for obj in extra if obj]


def managed(app: Obj) -> list[tuple[str, str, str, str]]:
    return [
        (view.text(item, "group"), view.text(item, "kind"), view.text(item, "namespace"), view.text(item, "name"))
        for item in view.at(app, "status", "resources") or []
    ]


async def _live(session: Session, group: str, kind: str, namespace: str, name: str) -> Obj | None:
    try:
        resource = await session.discovery.resource(group, kind)
        return await verbs.get(session.cluster, resource, namespace or None, name)
    except NotFound:
        return None


async def rendered(session: Session, bus: Bus, app: Obj, revision: str | None) -> list[Obj]:
    """The manifests of an Application's sources, at its own revisions or at one for all."""
    sources = [
        RenderSource(source=source, revision=await _resolved(bus, app, source, revision), position=position)
        for position, source in enumerate(view.sources(app))
    ]
    request = RenderRequest(
        app_name=view.text(app, "metadata", "name"),
        app_namespace=view.text(app, "metadata", "namespace"),
        project=view.text(app, "spec", "project") or "default",
        destination_namespace=view.text(app, "spec", "destination", "namespace"),
        sources=tuple(sources),
        kube_version=await session.discovery.version(),
        api_versions=tuple(await session.discovery.api_versions()),
        settings=await _settings(session),
    )
    reply = await bus.request(request, timeout=90)
    for warning in reply.warnings:
        note(f"warning: {warning}")
    found: list[Obj] = orjson.loads(await bus.get_object("manifests", reply.digest))
    return found


async def _resolved(bus: Bus, app: Obj, source: Obj, revision: str | None) -> str:
    target, project = revision or source.get("targetRevision") or "", view.text(app, "spec", "project")
    if source.get("chart") or str(source.get("repoURL", "")).startswith("oci://"):
        question = ResolveChart(
            repo_url=source["repoURL"], chart=source.get("chart", ""), constraint=target, project=project
        )
        return (await bus.request(question)).version
    wanted = ResolveRevision(repo_url=source["repoURL"], target_revision=target or "HEAD", project=project)
    return (await bus.request(wanted)).revision


async def _settings(session: Session) -> dict[str, str]:
    return {key: value for key, value in (await _config(session)).items() if key.startswith(_RENDERING)}


async def _config(session: Session) -> dict[str, str]:
    resource = await session.discovery.resource("", "ConfigMap")
    try:
        found = await verbs.get(session.cluster, resource, session.namespace, "argocd-cm")
    except NotFound:
        return {}
    return dict(found.get("data") or {})
