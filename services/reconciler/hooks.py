"""Running one hook: the old one deleted where its policy says so, the new one created, watched until it has ended, then
cleaned up.

A hook has ended when its health says so (a Job that is complete or has failed, a Pod, a Workflow); kinds without
health end at once. No finalizer is put on it: what is left behind after a crash is found again by its name and
tracking.
"""

from dataclasses import replace
from typing import Any

from services.reconciler.compare import FIELD_MANAGER
from services.reconciler.desired import HELM_HOOK, Target
from services.reconciler.destination import Destination
from services.reconciler.outcome import Outcome
from services.reconciler.write import removed
from shared.health import Health
from shared.kinds.refs import ResourceKey
from shared.kube import KubeError

Obj = dict[str, Any]
POLICY = "argocd.argoproj.io/hook-delete-policy"
HELM_POLICY = "helm.sh/hook-delete-policy"
HELM_POLICIES = {
    "before-hook-creation": "BeforeHookCreation",
    "hook-succeeded": "HookSucceeded",
    "hook-failed": "HookFailed",
}


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


async def run_hook(destination: Destination, target: Target, phase: str, suffix: str) -> Outcome:
    """Run one hook to its end."""
    hook = named(target, suffix.format(phase.lower()))
    version = hook.obj["apiVersion"].rpartition("/")[2]
    policies = delete_policies(hook.obj)
    try:
        if "BeforeHookCreation" in policies:
            await removed(destination, hook.key)
        made = await destination.apply(hook.obj, manager=FIELD_MANAGER)
        ended = await until_ended(destination, hook.key, made["metadata"]["uid"])
        policy = "HookFailed" if ended.status == "Degraded" else "HookSucceeded"
        if policy in policies:
            await removed(destination, hook.key)
    except KubeError as error:
        return Outcome(hook.key, version, "SyncFailed", error.message, phase, error.retriable, phase)
    if ended.status == "Degraded":
        return Outcome(hook.key, version, "SyncFailed", ended.message or "the hook failed", phase, hook=phase)
    return Outcome(hook.key, version, "", ended.message, phase, hook=phase)


async def until_ended(destination: Destination, key: ResourceKey, uid: str) -> Health:
    """Wait until the hook has succeeded or failed. One that someone deletes has failed."""
    while True:
        woken = destination.next_change()
        live = destination.live.get(key)
        if live is None or live.uid != uid:
            return Health("Degraded", "the hook was deleted before it ended")
        found = await destination.assess(live)
        if found is None or found.status in {"Healthy", "Degraded"}:
            return found or Health("Healthy", "")
        await woken
