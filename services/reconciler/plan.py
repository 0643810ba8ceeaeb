"""The order of a sync: which objects are applied, run and pruned, in which phase and wave, which kinds first.

In: what is to be applied, the hooks, and what is to be pruned. Out: a list of steps, each of which may run
concurrently; the next begins when the one before is done, and a new wave or phase when everything before it is
healthy. Pure. Order: phase, then wave, then kind (Argo CD's list), then name; prunes run in mirrored waves after the
applies (spec 2.5).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from services.reconciler.desired import Target
from shared.kinds.order import kind_rank
from shared.kinds.refs import ResourceKey


@dataclass(frozen=True, slots=True)
class Step:
    """Objects of one phase, wave and kind: applied together (hooks are run), or pruned together."""

    phase: str
    wave: int
    apply: tuple[Target, ...] = ()
    prune: tuple[ResourceKey, ...] = ()

    @property
    def place(self) -> tuple[str, int]:
        """Where a gate stands: before a step whose place is another."""
        return self.phase, self.wave


def _order(target: Target) -> tuple[int, int, str]:
    return target.wave, kind_rank(target.key.kind), target.key.kind


def apply_steps(targets: Iterable[Target], phase: str = "Sync") -> list[Step]:
    """Group into steps of one wave and one kind each."""
    ordered = sorted(targets, key=lambda target: (*_order(target), target.key.namespace, target.key.name))
    return [Step(phase, wave, apply=tuple(group)) for (wave, _, _), group in groupby(ordered, key=_order)]


def prune_steps(waves: Mapping[ResourceKey, int]) -> list[Step]:
    """Group what is to be pruned, highest wave first, and inside a wave the kinds in reverse order."""

    def place(key: ResourceKey) -> tuple[int, int, str]:
        return -waves[key], -kind_rank(key.kind), key.kind

    keys = sorted(waves, key=lambda key: (*place(key), key.name))
    return [Step("Sync", -negative, prune=tuple(group)) for (negative, _, _), group in groupby(keys, key=place)]


def of_phase(hooks: Iterable[Target], phase: str) -> list[Target]:
    """Give the hooks of one phase."""
    return [hook for hook in hooks if phase in hook.hooks]


def plan(targets: Iterable[Target], hooks: Iterable[Target], prunes: Mapping[ResourceKey, int]) -> list[Step]:
    """Give the steps of a sync in order. `prunes` maps what is to be deleted to its wave."""
    hooks = list(hooks)
    return [
        *apply_steps(of_phase(hooks, "PreSync"), "PreSync"),
        *apply_steps([*targets, *of_phase(hooks, "Sync")], "Sync"),
        *prune_steps(prunes),
        *apply_steps(of_phase(hooks, "PostSync"), "PostSync"),
    ]
