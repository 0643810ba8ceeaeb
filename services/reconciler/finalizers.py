"""Which finalizers of an Application are ours, in which order their work is done, and which it should carry. Pure.

Those for hooks are put on while its sources hold such hooks, as in Argo CD: the first of the two stands for running
them, the one with `/cleanup` for taking them away; so what has run is known, whoever does the rest.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from services.reconciler.desired import Desired

RESOURCES = "resources-finalizer.argocd.argoproj.io"
PROPAGATION = {
    RESOURCES: "Foreground",
    f"{RESOURCES}/foreground": "Foreground",
    f"{RESOURCES}/background": "Background",
}
HOOKS = {
    "PreDelete": "pre-delete-finalizer.argocd.argoproj.io",
    "PostDelete": "post-delete-finalizer.argocd.argoproj.io",
}
CLEANUP = "/cleanup"
PHASES = {name + suffix: phase for phase, name in HOOKS.items() for suffix in ("", CLEANUP)}
ORDER = (
    HOOKS["PreDelete"],
    HOOKS["PreDelete"] + CLEANUP,
    *PROPAGATION,
    HOOKS["PostDelete"],
    HOOKS["PostDelete"] + CLEANUP,
)


def finalizers_of(obj: Mapping[str, Any]) -> list[str]:
    return list((obj.get("metadata") or {}).get("finalizers") or ())


def next_of(obj: Mapping[str, Any]) -> str | None:
    """Give the finalizer whose work comes next; None when none of ours is left."""
    present = finalizers_of(obj)
    return next((name for name in ORDER if name in present), None)


def without(obj: Mapping[str, Any], gone: Iterable[str]) -> list[str] | None:
    """Give what is left of the finalizers, as a merge patch has it."""
    gone = set(gone)
    return [name for name in finalizers_of(obj) if name not in gone] or None


def wanted(obj: Mapping[str, Any], desired: Desired) -> list[str]:
    """Give the finalizers that an Application should carry: its own, and those of the deletion hooks it has."""
    phases = {phase for hook in desired.hooks for phase in hook.hooks}
    present = finalizers_of(obj)
    kept = [name for name in present if name not in PHASES or PHASES[name] in phases]
    return kept + [name for name, phase in PHASES.items() if phase in phases and name not in kept]
