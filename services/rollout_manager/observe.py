"""Looking at one Rollout and all that is its: what a decision needs, read from the watches. The only writes are none.

What the cluster can't give (no such Service, a kind that nobody serves) is a problem among `problems`, all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from services.rollout_manager import tracking
from services.rollout_manager.analysis import Phase, Run
from services.rollout_manager.analysis.request import endless, needed
from services.rollout_manager.experiments import SeenExperiment
from services.rollout_manager.keys import Obj, Ref, RolloutKey
from services.rollout_manager.labels import HASH, MANAGED_BY, ROLLOUT_TYPE, STEP_INDEX
from services.rollout_manager.observed import Observed, Pod, ReplicaSet, Service, Workload
from services.rollout_manager.parts import Parts
from services.rollout_manager.release import claimed
from services.rollout_manager.sets import replica_set, wanted_hash
from services.rollout_manager.state import entries, mapping, moment, text, whole
from services.rollout_manager.strays import missing
from services.rollout_manager.traffic import Destination, Router, Unroutable
from services.rollout_manager.traffic import apply as traffic
from services.rollout_manager.traffic.invitations import uninvited
from services.rollout_manager.traffic.routers import configured
from shared.kinds.rollout import Rollout
from shared.kinds.strategy import RolloutAnalysis
from shared.kube import Key, UnknownKind, verbs


@dataclass(frozen=True)
class Wanted:
    """The pod template a Rollout means, its own or the one of the workload that it refers to."""

    rollout: Rollout
    template: Obj
    workload: Workload | None = None
    problems: tuple[str, ...] = ()


async def observe(parts: Parts, key: RolloutKey, obj: Obj, now: datetime) -> Observed:
    """Raises InvalidObject when the spec has another shape than a Rollout's, ApiError, EngineFailure."""
    rollout = Rollout.parse({name: value for name, value in obj.items() if name != "status"})
    wanted = await _wanted(parts, key, rollout)
    sets = tuple(replica_sets(parts, rollout))
    sets += await missing(parts.objects, parts.strays, rollout, obj, sets)
    wanted, used = await _tracked(parts, key, obj, wanted, sets)
    template = await parts.templates.of(wanted.template, whole(mapping(obj, "status"), "collisionCount"))
    problems = [*wanted.problems, *(template.problems if not wanted.problems else ())]
    hash_ = await wanted_hash(parts.templates, wanted.template, template, sets) if template.hashes else ""
    routers = _routers(wanted.rollout)
    live, lacking = await _live(parts, wanted.rollout, routers)
    services = {name: found for name in service_names(rollout) if (found := service(parts, key, name))}
    names = set(service_names(rollout)) - services.keys()
    problems += [
        *lacking,
        *(f"service {name!r} not found" for name in sorted(names)),
        *_stolen(parts, wanted, services),
    ]
    read = {Ref("", "Service", key.namespace, name) for name in service_names(rollout)} | live.keys() | used
    if wanted.workload is not None:
        read.add(wanted.workload.ref)
    templates = await _templates(parts, key, rollout)
    problems += [f"{ref.kind} {ref.name!r} not found" for ref, template in templates.items() if template is None]
    problems += [problem for one in waited_for(rollout) for problem in endless(one, key.namespace, templates)]
    parts.interest.set(key, read | templates.keys())
    return Observed(
        rollout=wanted.rollout,
        obj=obj,
        template=wanted.template,
        hash=hash_,
        now=now,
        sets=tuple(sorted(sets, key=lambda one: (one.revision, one.created), reverse=True)),
        services=services,
        claimed=claimed(parts, key),
        runs=tuple(runs(parts, rollout)),
        experiments=tuple(experiments(parts, rollout)),
        templates=templates,
        routers=routers,
        live=live,
        endpoints=await _endpoints(parts, key, services) if routers else None,
        pods=await _pods(parts, rollout, obj, sets, now),
        workload=wanted.workload,
        gates=await parts.webhooks.facts(key, rollout.metadata.annotations),
        problems=tuple(problems),
    )


def replica_sets(parts: Parts, rollout: Rollout) -> Iterator[ReplicaSet]:
    for live in parts.owned_sets.of(rollout.metadata.uid):
        if live.meta.deletionTimestamp is None:
            yield replica_set(live)


async def _wanted(parts: Parts, key: RolloutKey, rollout: Rollout) -> Wanted:
    ref = rollout.spec.workload_ref
    if ref is None:
        return Wanted(rollout, rollout.spec.template)
    group = ref.api_version.rpartition("/")[0]
    named = Ref(group, ref.kind, key.namespace, ref.name)
    if (group, ref.kind) not in {("apps", "Deployment"), ("apps", "ReplicaSet"), ("", "PodTemplate")}:
        return Wanted(
            rollout, {}, problems=(f"spec.workloadRef: workload of type {ref.api_version}/{ref.kind} is not supported",)
        )
    own_watch = ref.kind != "ReplicaSet"  # our watch of ReplicaSets holds only Rollouts' own
    found = await (parts.objects.get(named) if own_watch else parts.objects.fetch(named))
    if found is None:
        missing = Workload(named, 0, None)
        return Wanted(rollout, {}, missing, (f'spec.workloadRef: {ref.kind.lower()}s.apps "{ref.name}" not found',))
    spec = found.get("spec") or {}
    template = found.get("template") if ref.kind == "PodTemplate" else spec.get("template")
    workload = Workload(named, whole(found, "metadata", "generation") or 0, whole(found, "spec", "replicas"))
    return Wanted(_with_selector(rollout, spec), template or {}, workload)


async def _tracked(
    parts: Parts, key: RolloutKey, obj: Obj, wanted: Wanted, sets: tuple[ReplicaSet, ...]
) -> tuple[Wanted, frozenset[Ref]]:
    """The template with digests of the configuration that it uses, where that is asked for; and what that is."""
    if wanted.rollout.metadata.annotations.get(tracking.TRACK) != tracking.ON:
        return wanted, frozenset()
    used = tracking.references(wanted.template, key.namespace)
    current = next((one.obj for one in sets if one.hash == text(obj, "status", "currentPodHash")), {})
    before = tracking.entries(mapping(current, "spec", "template"))
    template = tracking.carrying(wanted.template, await parts.configs.digests(used), before)
    return replace(wanted, template=template), used


def _with_selector(rollout: Rollout, spec: Obj) -> Rollout:
    """A Rollout without a selector takes its workload's."""
    if rollout.spec.selector is not None or not isinstance(spec.get("selector"), dict):
        return rollout
    wire = rollout.to_wire()
    return Rollout.parse({**wire, "spec": {**wire["spec"], "selector": spec["selector"]}})


def service_names(rollout: Rollout) -> tuple[str, ...]:
    canary, blue_green = rollout.spec.strategy.canary, rollout.spec.strategy.blue_green
    names: list[str] = []
    if canary is not None:
        names += [canary.canary_service, canary.stable_service]
        names += [canary.ping_pong.ping_service, canary.ping_pong.pong_service] if canary.ping_pong else []
    if blue_green is not None:
        names += [blue_green.active_service, blue_green.preview_service]
    return tuple(dict.fromkeys(name for name in names if name))


def service(parts: Parts, key: RolloutKey, name: str) -> Service | None:
    live = parts.services.store.get(Key(key.namespace, name))
    if live is None:
        return None
    selector = mapping(live.load(), "spec", "selector")
    return Service(name, text(selector, HASH), live.meta.annotations.get(MANAGED_BY, ""), selector)


def _stolen(parts: Parts, wanted: Wanted, services: dict[str, Service]) -> Iterator[str]:
    rollout, labels = wanted.rollout, mapping(wanted.template, "metadata", "labels")
    for found in services.values():
        another = Key(rollout.metadata.namespace, found.managed_by)
        if found.managed_by != rollout.metadata.name and another in parts.rollouts.store:
            yield f"Service {found.name!r} is managed by another Rollout"
        for name, value in found.selector.items():
            if name != HASH and labels and labels.get(name) != value:
                yield f"Service {found.name!r} has unmatch label {name!r} in rollout"


def _routers(rollout: Rollout) -> tuple[Router, ...]:
    canary = rollout.spec.strategy.canary
    return configured(canary.traffic_routing) if canary and canary.traffic_routing else ()


async def _endpoints(parts: Parts, key: RolloutKey, services: dict[str, Service]) -> dict[str, frozenset[str]]:
    return {name: await parts.endpoints.of(key.namespace, name) for name in services}


async def _live(
    parts: Parts, rollout: Rollout, routers: tuple[Router, ...]
) -> tuple[dict[Ref, Obj | None], tuple[str, ...]]:
    try:
        found = await traffic.read(parts.objects, rollout, routers)
    except Unroutable as error:
        return {}, error.problems
    return found, tuple(uninvited(rollout, found, parts.settings.shared_namespaces))


def _phase(written: str) -> Phase:
    return Phase(written) if written in set(Phase) else Phase.PENDING


def runs(parts: Parts, rollout: Rollout) -> Iterator[Run]:
    for live in parts.owned_runs.of(rollout.metadata.uid):
        obj, labels = live.load(), live.meta.labels
        yield Run(
            name=live.meta.name,
            uid=live.meta.uid,
            type=labels.get(ROLLOUT_TYPE, ""),
            step=labels.get(STEP_INDEX, ""),
            hash=labels.get(HASH, ""),
            phase=_phase(text(obj, "status", "phase")),
            message=text(obj, "status", "message"),
            terminate=mapping(obj, "spec").get("terminate") is True,
            created=live.meta.creationTimestamp,
        )


def experiments(parts: Parts, rollout: Rollout) -> Iterator[SeenExperiment]:
    for live in parts.owned_experiments.of(rollout.metadata.uid):
        obj, labels = live.load(), live.meta.labels
        phase = _phase(text(obj, "status", "phase"))
        yield SeenExperiment(
            name=live.meta.name,
            uid=live.meta.uid,
            hash=labels.get(HASH, ""),
            step=labels.get(STEP_INDEX, ""),
            phase=phase,
            message=text(obj, "status", "message"),
            terminate=mapping(obj, "spec").get("terminate") is True,
            created=live.meta.creationTimestamp,
            destinations=tuple(_destinations(rollout, obj, labels)) if phase is Phase.RUNNING else (),
        )


def _destinations(rollout: Rollout, experiment: Obj, labels: dict[str, str]) -> Iterator[Destination]:
    """The shares of an experiment's templates, as the step says; those whose Service is there."""
    canary, index = rollout.spec.strategy.canary, labels.get(STEP_INDEX, "")
    steps = canary.steps if canary else ()
    step = steps[int(index)].experiment if index.isdecimal() and int(index) < len(steps) else None
    weights = {template.name: template.weight for template in step.templates} if step else {}
    for one in mapping(experiment, "status").get("templateStatuses") or ():
        weight, name = weights.get(text(one, "name")), text(one, "serviceName")
        if weight and name:
            yield Destination(name, text(one, "podTemplateHash"), weight)


def analyses_of(rollout: Rollout) -> Iterator[RolloutAnalysis]:
    yield from waited_for(rollout)
    canary = rollout.spec.strategy.canary
    if canary is not None and canary.analysis is not None:
        yield canary.analysis


def waited_for(rollout: Rollout) -> Iterator[RolloutAnalysis]:
    """The analyses that a step or a promotion waits for; one in the background may go on for ever."""
    canary, blue_green = rollout.spec.strategy.canary, rollout.spec.strategy.blue_green
    if canary is not None:
        yield from (step.analysis for step in canary.steps if step.analysis is not None)
    if blue_green is not None:
        yield from filter(None, (blue_green.pre_promotion_analysis, blue_green.post_promotion_analysis))


async def _templates(parts: Parts, key: RolloutKey, rollout: Rollout) -> dict[Ref, Obj | None]:
    found: dict[Ref, Obj | None] = {}
    for analysis in analyses_of(rollout):
        while refs := needed(analysis, key.namespace, found):
            for ref in refs:
                found[ref] = await _template(parts, ref)
    return found


async def _template(parts: Parts, ref: Ref) -> Obj | None:
    try:
        return await parts.objects.get(ref)
    except UnknownKind:
        return None


async def _pods(
    parts: Parts, rollout: Rollout, obj: Obj, sets: tuple[ReplicaSet, ...], now: datetime
) -> tuple[Pod, ...]:
    """The pods, while a restart is asked for and not done."""
    at = moment(rollout.spec.restart_at or "")
    done = moment(text(obj, "status", "restartedAt"))
    if at is None or at > now or (done is not None and done >= at):
        return ()
    resource = await parts.discovery.resource("", "Pod")
    hashes = ",".join(sorted({one.hash for one in sets if one.hash}))
    if not hashes:
        return ()
    found = await verbs.list_(
        parts.cluster, resource, rollout.metadata.namespace, label_selector=f"{HASH} in ({hashes})"
    )
    uids = {one.uid for one in sets}
    return tuple(
        Pod(
            pod["metadata"]["name"],
            pod["metadata"]["creationTimestamp"],
            bool(pod["metadata"].get("deletionTimestamp")),
            any(one["type"] == "Ready" and one["status"] == "True" for one in entries(pod, "status", "conditions")),
        )
        for pod in found
        if any(owner.get("uid") in uids for owner in pod["metadata"].get("ownerReferences") or ())
    )
