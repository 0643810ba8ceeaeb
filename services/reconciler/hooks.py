"""One hook: which object it is in this run, when it is deleted, how it is made exactly once.

Every object that is made for a run says so in an annotation that names the operation, the attempt and the phase: a
reconciler that takes the operation over finds it and waits for it instead of making another. No finalizer is put on
it (spec, complaint 7): what ended is recorded in `operationState` before it may be deleted. A finalizer that Argo CD
left on a hook is taken off when the hook has to go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from services.reconciler.compare import FIELD_MANAGER
from services.reconciler.desired import HELM_HOOK, Target
from services.reconciler.destination import Destination
from services.reconciler.live import Live
from services.reconciler.outcome import Outcome
from services.reconciler.ways import way_of
from services.reconciler.write import removed as gone
from shared.kinds.refs import ResourceKey
from shared.kube import KubeError

Obj = dict[str, Any]
RUN = "tiphys.dev/hook-run"
FINALIZER = "argocd.argoproj.io/hook-finalizer"
POLICY = "argocd.argoproj.io/hook-delete-policy"
HELM_POLICY = "helm.sh/hook-delete-policy"
HELM_POLICIES = {
    "before-hook-creation": "BeforeHookCreation",
    "hook-succeeded": "HookSucceeded",
    "hook-failed": "HookFailed",
}


@dataclass(frozen=True, slots=True)
class HookRun:
    """One attempt of one operation. `recorded`: what an earlier process wrote down of its hooks before it died."""

    operation: str
    suffix: str = ""
    recorded: Mapping[tuple[str, ResourceKey], Outcome] = field(default_factory=dict)
    options: tuple[str, ...] = ()

    def prepared(self, target: Target, phase: str) -> Target:
        """Give the object of the hook in this run."""
        hook = named(target, self.suffix.format(phase.lower()))
        metadata = hook.obj["metadata"]
        annotations = {**(metadata.get("annotations") or {}), RUN: self.name(phase)}
        return replace(hook, obj={**hook.obj, "metadata": {**metadata, "annotations": annotations}})

    def name(self, phase: str) -> str:
        """Name the run of one phase."""
        return f"{self.operation} {phase}"

    def known(self, phase: str, key: ResourceKey) -> Outcome | None:
        """Give what is recorded of a hook."""
        return self.recorded.get((phase, key))


def delete_policies(obj: Obj) -> frozenset[str]:
    """Give when a hook is deleted; without a policy, before the next one is created."""
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    own = [part.strip() for part in str(annotations.get(POLICY, "")).split(",") if part.strip()]
    if not own and HELM_HOOK in annotations:
        words = [part.strip() for part in str(annotations.get(HELM_POLICY, "")).split(",")]
        own = [HELM_POLICIES[word] for word in words if word in HELM_POLICIES]
    return frozenset(own or ["BeforeHookCreation"])


def named(target: Target, suffix: str) -> Target:
    """Give the hook a name where it has only `generateName`: the same one for the same run, so that it is never made
    twice.
    """
    metadata = target.obj["metadata"]
    if metadata.get("name") or not metadata.get("generateName"):
        return target
    name = f"{metadata['generateName']}{suffix}"
    kept = {key: value for key, value in metadata.items() if key != "generateName"}
    return replace(target, key=target.key._replace(name=name), obj={**target.obj, "metadata": {**kept, "name": name}})


def run_of(live: Live | None) -> str:
    """Give the run that a live object was made for."""
    annotations = (live.load()["metadata"].get("annotations") or {}) if live else {}
    return str(annotations.get(RUN, ""))


async def start_hook(destination: Destination, run: HookRun, hook: Target, phase: str) -> tuple[Outcome, str]:
    """Make the object of a prepared hook, unless this run has made it already. Gives the outcome so far, and the uid.

    What was recorded as running and is gone, is gone: it may have ended, so it is never run again.
    """
    known = run.known(phase, hook.key)
    version = hook.obj["apiVersion"].rpartition("/")[2]
    done = Outcome(hook.key, version, "", "running", phase, hook=phase, hook_phase="Running")
    live = destination.live.get(hook.key)
    if known is not None and known.hook_phase != "Running":
        return known, ""
    if live is not None and run_of(live) == run.name(phase):
        return done, live.uid
    if known is not None:
        lost = "the hook was deleted while nobody watched it: whether it succeeded can't be known"
        return replace(done, status="SyncFailed", message=lost, hook_phase="Failed"), ""
    if hook.key.group_kind not in destination.watched:
        unseen = "its kind can't be watched in this cluster, so its end would not be seen"
        return replace(done, status="SyncFailed", message=unseen, hook_phase="Failed"), ""
    try:
        way = way_of(hook.obj, run.options)
        if "BeforeHookCreation" in delete_policies(hook.obj) or way.recreate:
            await removed(destination, hook.key)
        made = await destination.apply(hook.obj, manager=FIELD_MANAGER, validation=way.validation)
    except KubeError as error:
        failed = replace(done, status="SyncFailed", message=error.message, retriable=error.retriable)
        return replace(failed, hook_phase="Failed"), ""
    return done, made["metadata"]["uid"]


async def removed(destination: Destination, key: ResourceKey) -> None:
    """Delete the hook of an earlier run if it is there, and wait until it is gone. Raises ApiError."""
    live = destination.live.get(key)
    if live is not None:
        await freed(destination, live)
        await gone(destination, key)


async def delete_hook(destination: Destination, live: Live) -> None:
    """Delete the object of a hook. Raises ApiError."""
    await freed(destination, live)
    if not live.deleting:
        await destination.delete(live.key, uid=live.uid, propagation="Background")


async def freed(destination: Destination, live: Live) -> None:
    """Take Argo CD's finalizer off a hook that is to go. Raises ApiError."""
    finalizers = live.load()["metadata"].get("finalizers") or []
    if FINALIZER in finalizers:
        kept = [name for name in finalizers if name != FINALIZER]
        await destination.patch(live.key, {"metadata": {"uid": live.uid, "finalizers": kept or None}})
