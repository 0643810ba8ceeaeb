"""What an Application wants: its sources resolved and rendered, its objects prepared. Skipped when nothing that it read
has changed.

In: the Application, the heads of its sources, the renderer's answer. Out: `state.desired`. A failure leaves the last
good one in place and raises: what could not be rendered is unknown, not empty.
"""

import orjson

from services.reconciler import integrity
from services.reconciler.desired import Scope, changed_keys, prepare
from services.reconciler.destination import Destination
from services.reconciler.errors import ComparisonFailed, Unverified
from services.reconciler.heads import Head
from services.reconciler.index import Reads
from services.reconciler.memory import rewant
from services.reconciler.parts import Parts
from services.reconciler.scope import defined, instance_of, namespaced_in, render_settings, sources_of
from services.reconciler.state import AppState, Obj, Rendered
from shared.bus import BusError, ObjectMissing
from shared.events import RenderReply, RenderRequest, RenderSource, RequestError, git_delivery
from shared.kinds.customizations import Ignored
from shared.kinds.ignoring import Counting, aggregated, counting_for, ignored_for, together
from shared.kinds.options import compare_options
from shared.kinds.refs import GroupKind, ResourceKey
from shared.kube import KubeError
from shared.merge import digest

RENDER_TIMEOUT = 300.0


def current_revisions(parts: Parts, state: AppState) -> tuple[str, ...]:
    """Give the revisions that the desired objects are good for: where a branch moved on without touching them, its new
    one.
    """
    return tuple(parts.heads.commit(head) for head in state.rendered.heads) if state.rendered else ()


def identity(state: AppState) -> str:
    """Name what a sync of the spec would bring now: the same content from the same sources is the same, whatever the
    commit.
    """
    return f"{state.rendered.inputs} {state.rendered.digest}" if state.rendered else ""


async def desire(parts: Parts, state: AppState, destination: Destination) -> None:
    """Bring `state.desired` up to date. Raises ComparisonFailed."""
    inputs = inputs_of(parts, state, destination)
    if state.rendered is not None and state.rendered.inputs == inputs and not state.stale:
        return
    was_hard, state.hard, state.stale = state.hard, False, False
    try:
        await _render(parts, state, destination, inputs, hard=was_hard)
    except BaseException:
        state.stale, state.hard = True, state.hard or was_hard
        raise


def inputs_of(parts: Parts, state: AppState, destination: Destination) -> str:
    """Digest all that a render depends on, except the content of the sources."""
    spec = state.obj["spec"]
    argo = parts.argo
    given = [spec.get(name) for name in ("source", "sources", "destination", "project", "ignoreDifferences")]
    told = [
        destination.server,
        render_settings(argo),
        repr(argo.tracking),
        repr(argo.compare),
        compare_options(state.obj),
    ]
    signed = integrity.inputs(parts, state, sources_of(spec))
    return digest([*given, *told, repr(argo.customizations), *signed])


async def _render(parts: Parts, state: AppState, destination: Destination, inputs: str, *, hard: bool) -> None:
    spec = state.obj["spec"]
    sources = sources_of(spec)
    await watch_everything(parts, state, sources, refresh=bool(state.refresh))
    state.unverified = ""
    try:
        heads, reply = await render(parts, state, destination, sources, (), hard=hard)
    except Unverified as error:
        state.unverified = error.message
        raise
    if (
        state.rendered is None
        or state.rendered.inputs != inputs
        or state.rendered.digest != reply.digest
        or state.desired is None
    ):
        manifests = await fetch(parts, reply.digest)
        await want(parts, state, destination, manifests, reply.digest)
    types = tuple(source.source_type for source in reply.sources if source.source_type)
    state.rendered = Rendered(inputs, reply.digest, heads, types)
    parts.index.put(state.key, reads_of(heads, reply, integrity.rules_of(parts, state, sources)))
    if not state.delivery and heads and heads[0].branch:
        state.delivery = git_delivery(heads[0].branch.repo, parts.heads.commit(heads[0]))


async def watch_everything(parts: Parts, state: AppState, sources: tuple[Obj, ...], *, refresh: bool) -> None:
    """Resolve the sources; until it is known what a render reads, every change of their branches counts."""
    project = state.obj["spec"].get("project") or "default"
    try:
        heads = [await parts.heads.resolve(source, project, refresh=refresh) for source in sources]
    except (RequestError, BusError) as error:
        raise _failed("resolve", error) from error
    parts.index.put(state.key, [Reads(head.branch, None) for head in heads if head.branch])


async def render(
    parts: Parts,
    state: AppState,
    destination: Destination,
    sources: tuple[Obj, ...],
    revisions: tuple[str, ...],
    *,
    hard: bool = False,
) -> tuple[tuple[Head, ...], RenderReply]:
    """Have the sources rendered, at `revisions` where these are given. Raises ComparisonFailed."""
    spec = state.obj["spec"]
    project = spec.get("project") or "default"
    try:
        pinned = [
            {**source, "targetRevision": revision}
            for source, revision in zip(sources, revisions, strict=False)
            if revision
        ]
        asked = (*pinned, *sources[len(pinned) :])
        heads = tuple([await parts.heads.resolve(source, project) for source in asked])
        commits = tuple(parts.heads.commit(head) for head in heads)
        await integrity.verify(parts, state, sources, heads, commits)
        question = RenderRequest(
            app_name=state.key.name,
            app_namespace=state.key.namespace,
            project=project,
            destination_namespace=(spec.get("destination") or {}).get("namespace") or "",
            sources=tuple(
                RenderSource(source=source, revision=commit, position=position)
                for position, (source, commit) in enumerate(zip(sources, commits, strict=True))
            ),
            kube_version=await destination.discovery.version(),
            api_versions=tuple(await destination.discovery.api_versions()),
            settings=render_settings(parts.argo),
            no_cache=hard,
        )
        return heads, await parts.bus.request(question, timeout=RENDER_TIMEOUT)
    except (RequestError, BusError) as error:
        raise _failed("render", error) from error
    except KubeError as error:
        raise ComparisonFailed(f"Failed to load live state: {error.message}", retriable=True) from error


def _failed(what: str, error: RequestError | BusError) -> ComparisonFailed:
    retriable = not isinstance(error, RequestError) or error.retriable
    verb = "resolve the revision" if what == "resolve" else "generate manifests"
    return ComparisonFailed(f"Failed to load target state: failed to {verb}: {error}", retriable=retriable)


async def fetch(parts: Parts, name: str) -> list[Obj]:
    """Get rendered manifests from the object store."""
    try:
        manifests: list[Obj] = orjson.loads(await parts.bus.get_object("manifests", name))
    except ObjectMissing as error:
        raise ComparisonFailed(
            f"the rendered manifests {name[:12]} are gone from the object store", retriable=True
        ) from error
    except BusError as error:
        raise _failed("render", error) from error
    return manifests


def reads_of(heads: tuple[Head, ...], reply: RenderReply, rules: tuple[integrity.Rule | None, ...]) -> list[Reads]:
    """Give what the index must know: for each source on a branch, the paths that were read. Where commits have to be
    signed every one counts: what is shown as synced has been verified.
    """
    triples = zip(heads, reply.sources, rules, strict=False)
    return [Reads(head.branch, None if rule else told.input_paths) for head, told, rule in triples if head.branch]


async def scope_of(parts: Parts, state: AppState, destination: Destination, manifests: list[Obj]) -> Scope:
    """Give what preparing objects must know of the destination; of kinds that it lacks yet, what the manifests say."""
    argo = parts.argo
    namespace = (state.obj["spec"].get("destination") or {}).get("namespace") or ""
    namespaced = await namespaced_in(destination, {GroupKind.of(obj) for obj in manifests})
    namespaced |= {kind: scoped for kind, scoped in defined(manifests) if namespaced.get(kind) is None}

    def excluded(kind: GroupKind) -> bool:
        return bool(argo.excludes(kind, destination.server))

    instance = instance_of(state.key, parts.namespace)
    rules = state.obj["spec"].get("ignoreDifferences") or ()

    options = compare_options(state.obj)

    def ignored(key: ResourceKey, obj: Obj) -> Ignored:
        return together([ignored_for(key, rules, argo), aggregated(obj, argo)])

    def counting(obj: Obj) -> Counting:
        return counting_for(obj, options, argo)

    return Scope(namespace, argo.tracking, instance, namespaced.get, excluded, ignored, counting)


async def want(parts: Parts, state: AppState, destination: Destination, manifests: list[Obj], name: str) -> None:
    """Make the manifests the desired state, and mark what has to be compared again."""
    scope = await scope_of(parts, state, destination, manifests)
    new = prepare(manifests, scope, name)
    changed = changed_keys(state.desired, new)
    for key in changed:
        state.touch(key)
    if state.server not in {"", destination.server}:
        rewant(parts, state.server, state.key, state.desired, None)
    rewant(parts, destination.server, state.key, state.desired, new)
    state.server, state.desired = destination.server, new
