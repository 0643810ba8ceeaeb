"""From rendered manifests to the objects an Application wants: namespaces set, tracking set, duplicates and excluded
kinds dropped.

In: the manifests of all sources in order, and what the destination cluster and Argo's settings say about them.
Out: one `Desired`. Pure: whoever calls has asked the cluster which kinds exist and are namespaced.
The rules are Argo CD's (spec 2.2, steps 2 and 4); the last of several equal keys wins.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shared.kinds.customizations import Ignored
from shared.kinds.ignoring import NOTHING, PLAIN, Counting
from shared.kinds.options import sync_wave
from shared.kinds.refs import GroupKind, ResourceKey
from shared.kinds.tracking import Tracking, with_tracking
from shared.merge import digest

Obj = dict[str, Any]

HOOK = "argocd.argoproj.io/hook"
HELM_HOOK = "helm.sh/hook"
HELM_HOOKS = {
    "pre-install": "PreSync",
    "pre-upgrade": "PreSync",
    "post-install": "PostSync",
    "post-upgrade": "PostSync",
    "pre-delete": "PreDelete",
    "post-delete": "PostDelete",
    "crd-install": "",
}


@dataclass(frozen=True, slots=True)
class Target:
    """One object that an Application wants, ready to be applied."""

    key: ResourceKey
    obj: Obj
    digest: str
    wave: int = 0
    hooks: tuple[str, ...] = ()
    ignored: Ignored = NOTHING
    counting: Counting = PLAIN

    @property
    def version(self) -> str:
        """The version of its API group."""
        return str(self.obj["apiVersion"]).rpartition("/")[2]


class Scope(NamedTuple):
    """What the preparation must know of the destination: where objects go, which kinds are namespaced, which are left
    out.
    """

    namespace: str
    tracking: Tracking
    instance: str
    namespaced: Callable[[GroupKind], bool | None]
    excluded: Callable[[GroupKind], bool]
    ignored: Callable[[ResourceKey, Obj], Ignored] = lambda _key, _obj: NOTHING
    counting: Callable[[Obj], Counting] = lambda _obj: PLAIN


class Condition(NamedTuple):
    """One condition of the Application: Argo's type and a message for people."""

    type: str
    message: str


@dataclass(frozen=True, slots=True)
class Desired:
    """What an Application wants now. `digest` names the rendered manifests, `objects` are those to sync, `hooks` those
    to run.
    """

    digest: str
    objects: Mapping[ResourceKey, Target] = field(default_factory=dict)
    hooks: tuple[Target, ...] = ()
    unknown: frozenset[GroupKind] = frozenset()
    conditions: tuple[Condition, ...] = ()


def hook_phases(obj: Obj) -> tuple[str, ...] | None:
    """Give the hook phases of an object; None for a plain one, () for one that never runs (`helm.sh/hook: test`)."""
    annotations = obj.get("metadata", {}).get("annotations") or {}
    if HOOK in annotations:
        return tuple(part.strip() for part in str(annotations[HOOK]).split(",") if part.strip())
    if HELM_HOOK not in annotations:
        return None
    named = [part.strip() for part in str(annotations[HELM_HOOK]).split(",")]
    phases = tuple(dict.fromkeys(HELM_HOOKS[name] for name in named if name in HELM_HOOKS))
    return None if phases == ("",) else tuple(phase for phase in phases if phase)


def placed(obj: Obj, namespaced: bool | None, namespace: str) -> Obj:
    """Give the object with its namespace: none when cluster-scoped, the destination's when it names none."""
    metadata = dict(obj.get("metadata") or {})
    if namespaced is False:
        metadata.pop("namespace", None)
    elif not metadata.get("namespace") and namespace:
        metadata["namespace"] = namespace
    return {**obj, "metadata": metadata}


def encoded(obj: Obj) -> Obj:
    """Give a Secret with its `stringData` as the `data` it becomes: what is applied plainly would be owned by nobody.

    What is no text is left for the API server to refuse.
    """
    plain = obj.get("stringData") if obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1" else None
    if not isinstance(plain, dict) or not all(isinstance(value, str) for value in plain.values()):
        return obj
    added = {key: b64encode(value.encode()).decode() for key, value in plain.items()}
    rest = {key: value for key, value in obj.items() if key != "stringData"}
    return {**rest, "data": {**(obj.get("data") or {}), **added}}


def target_of(obj: Obj, scope: Scope) -> Target:
    """Prepare one rendered object."""
    kind = GroupKind.of(obj)
    plain = placed(encoded(obj), scope.namespaced(kind), scope.namespace)
    hooks = hook_phases(plain)
    key = ResourceKey.of(plain)
    ignored, counting = scope.ignored(key, plain), scope.counting(plain)
    plain = with_tracking(plain, scope.tracking, scope.instance, scope.namespace)
    return Target(
        key,
        plain,
        name_of(plain, ignored, counting),
        sync_wave(plain),
        hooks or (() if hooks is None else ("Skip",)),
        ignored,
        counting,
    )


def name_of(obj: Obj, ignored: Ignored, counting: Counting) -> str:
    """Digest what is wanted, and what of it counts: when either changes, it is compared again."""
    plain = (ignored, counting) == (NOTHING, PLAIN)
    return digest(obj) if plain else digest([obj, repr(ignored), repr(counting)])


def prepare(manifests: Iterable[Obj], scope: Scope, rendered: str) -> Desired:
    """Give the desired objects of an Application; `rendered` is the digest of the manifests."""
    objects: dict[ResourceKey, Target] = {}
    hooks: list[Target] = []
    repeated: dict[ResourceKey, int] = {}
    excluded: set[GroupKind] = set()
    unknown: set[GroupKind] = set()
    for obj in manifests:
        kind = GroupKind.of(obj)
        if scope.excluded(kind):
            excluded.add(kind)
            continue
        if scope.namespaced(kind) is None:
            unknown.add(kind)
        target = target_of(obj, scope)
        if target.hooks:
            hooks.append(target)
            continue
        if target.key in objects:
            repeated[target.key] = repeated.get(target.key, 1) + 1
        objects[target.key] = target
    return Desired(rendered, objects, tuple(hooks), frozenset(unknown), tuple(_warnings(repeated, excluded)))


def _warnings(repeated: Mapping[ResourceKey, int], excluded: Iterable[GroupKind]) -> Iterable[Condition]:
    for key, count in sorted(repeated.items()):
        yield Condition(
            "RepeatedResourceWarning", f"Resource {key} appeared {count} times among application resources."
        )
    for kind in sorted(excluded):
        yield Condition("ExcludedResourceWarning", f"Resource {kind.group}/{kind.kind} is excluded in the settings.")


def changed_keys(before: Desired | None, after: Desired) -> set[ResourceKey]:
    """Give the keys whose desired object came, went or changed between two renders."""
    if before is None:
        return set(after.objects)
    if before.digest == after.digest and before.objects.keys() == after.objects.keys():
        return {key for key, target in after.objects.items() if before.objects[key].digest != target.digest}
    old = {key: target.digest for key, target in before.objects.items()}
    new = {key: target.digest for key, target in after.objects.items()}
    return {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
