"""The order of a sync: which objects are applied, run and pruned, in which phase and wave, which kinds first.

In: what is to be applied, the hooks, and what is to be pruned. Out: the waves in order; each begins when the one before
is over. Pure. The order is Argo CD's (spec 2.5): phase, then wave, then kind, then name. What others need (a
Namespace, a CustomResourceDefinition) moves up to the first wave that needs it, and is first there. Prunes belong to
the Sync phase, in mirrored waves; inside a wave they come before the applies, kinds in reverse.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from services.reconciler.desired import Target
from shared.kinds.order import kind_rank
from shared.kinds.refs import ResourceKey

Obj = dict[str, Any]
PHASES = ("PreSync", "Sync", "PostSync")
ORDER = {phase: rank for rank, phase in enumerate((*PHASES, "SyncFail", "PreDelete", "PostDelete"))}
FIRST = -1


class Place(NamedTuple):
    """Where in a sync something happens; places are ordered as they are compared."""

    rank: int
    wave: int
    phase: str


class Task(NamedTuple):
    """One object to apply, or one run of a hook."""

    place: Place
    target: Target


@dataclass(frozen=True, slots=True)
class Wave:
    """What happens at one place: first `prunes`, then `applies`, each a list of kinds in order, each kind at once."""

    phase: str
    wave: int
    prunes: tuple[tuple[ResourceKey, ...], ...] = ()
    applies: tuple[tuple[Target, ...], ...] = ()

    @property
    def targets(self) -> list[Target]:
        """All that is applied or run here."""
        return [target for group in self.applies for target in group]

    @property
    def hooks(self) -> list[Target]:
        """The hooks that run here."""
        return [target for target in self.targets if target.hooks]

    @property
    def pruned(self) -> list[ResourceKey]:
        """All that is pruned here."""
        return [key for group in self.prunes for key in group]


def place(phase: str, wave: int) -> Place:
    return Place(ORDER[phase], wave, phase)


def plan(
    targets: Iterable[Target],
    hooks: Iterable[Target],
    prunes: Mapping[ResourceKey, int],
    last: Collection[ResourceKey] = (),
) -> list[Wave]:
    """Give the waves of a sync. `prunes` maps what is to be deleted to its own wave; those of `last` go last."""
    tasks = [Task(place("Sync", target.wave), target) for target in targets]
    for phase in PHASES:
        tasks += phase_tasks(hooks, phase)
    tasks = hoisted(tasks)
    return waves_of(tasks, prune_places(prunes, last, tasks))


def plan_hooks(hooks: Iterable[Target], phase: str) -> list[Wave]:
    """Give the waves of the hooks of one phase."""
    return waves_of(hoisted(phase_tasks(hooks, phase)), {})


def phase_tasks(hooks: Iterable[Target], phase: str) -> list[Task]:
    return [Task(place(phase, hook.wave), hook) for hook in hooks if phase in hook.hooks]


def provides(obj: Obj) -> tuple[str, ...]:
    """Name what others can't be applied without: a namespace, or a kind that a definition brings; () for the rest."""
    group = str(obj.get("apiVersion") or "").rpartition("/")[0]
    if obj.get("kind") == "Namespace" and not group:
        return ("namespace", str(obj["metadata"].get("name")))
    if obj.get("kind") == "CustomResourceDefinition" and group == "apiextensions.k8s.io":
        spec = obj.get("spec") or {}
        return ("kind", str(spec.get("group")), str((spec.get("names") or {}).get("kind")))
    return ()


def needs(key: ResourceKey) -> tuple[tuple[str, ...], ...]:
    """Name what may have to be there before an object is applied."""
    kind = ("kind", key.group, key.kind)
    return (kind, ("namespace", key.namespace)) if key.namespace else (kind,)


def hoisted(tasks: list[Task]) -> list[Task]:
    """Move what others need up to the first of them."""
    first: dict[tuple[str, ...], Place] = {}
    for task in tasks:
        for need in needs(task.target.key):
            first[need] = min(first.get(need, task.place), task.place)

    def moved(task: Task) -> Task:
        needed = first.get(provides(task.target.obj), task.place)
        return task if len(task.target.hooks) > 1 else task._replace(place=min(task.place, needed))

    return [moved(task) for task in tasks]


def mirrored(prunes: Mapping[ResourceKey, int]) -> dict[ResourceKey, int]:
    """Give the waves turned around: what came first goes last."""
    waves = sorted(set(prunes.values()))
    turned = dict(zip(waves, reversed(waves), strict=True))
    return {key: turned[wave] for key, wave in prunes.items()}


def prune_places(
    prunes: Mapping[ResourceKey, int], last: Collection[ResourceKey], tasks: Iterable[Task]
) -> dict[ResourceKey, int]:
    """Give the wave in which each object is pruned; those of `last` after all waves of the Sync phase."""
    waves = mirrored(prunes)
    synced = [task.place.wave for task in tasks if task.place.phase == "Sync"]
    end = max([0, *synced, *waves.values()]) + 1
    return {key: end if key in last else wave for key, wave in waves.items()}


def waves_of(tasks: Iterable[Task], prunes: Mapping[ResourceKey, int]) -> list[Wave]:
    """Group what is at the same place."""
    applied: dict[Place, list[Target]] = {}
    for task in tasks:
        applied.setdefault(task.place, []).append(task.target)
    pruned: dict[Place, list[ResourceKey]] = {}
    for key, wave in prunes.items():
        pruned.setdefault(place("Sync", wave), []).append(key)
    return [
        Wave(where.phase, where.wave, prune_groups(pruned.get(where, ())), apply_groups(applied.get(where, ())))
        for where in sorted(applied.keys() | pruned.keys())
    ]


def apply_groups(targets: Iterable[Target]) -> tuple[tuple[Target, ...], ...]:
    """Group by kind, in the order of kinds; what others need is first whatever its kind."""
    targets = list(targets)
    needed = {need for target in targets for need in needs(target.key)}

    def order(target: Target) -> tuple[int, str]:
        rank = FIRST if provides(target.obj) in needed else kind_rank(target.key.kind)
        return rank, target.key.kind

    ordered = sorted(targets, key=lambda target: (order(target), target.key.namespace, target.key.name))
    return tuple(tuple(group) for _, group in groupby(ordered, key=order))


def prune_groups(keys: Iterable[ResourceKey]) -> tuple[tuple[ResourceKey, ...], ...]:
    """Group by kind, in the reverse order of kinds."""

    def order(key: ResourceKey) -> tuple[int, str]:
        return -kind_rank(key.kind), key.kind

    ordered = sorted(keys, key=lambda key: (order(key), key.namespace, key.name))
    return tuple(tuple(group) for _, group in groupby(ordered, key=order))
