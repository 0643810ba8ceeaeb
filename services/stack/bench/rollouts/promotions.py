"""A new image in many Rollouts at once, step by step with real (simulated) pods, beside a bare client that only makes
the same writes to ReplicaSets.
"""

from dataclasses import dataclass

from services.stack.bench.measures import each
from services.stack.bench.requests import Writes
from services.stack.bench.rollouts import layout
from services.stack.bench.rollouts.bare import REPLICAS, bare
from services.stack.bench.rollouts.field import Clock, Field, Obj, healthy, image_of
from services.stack.bench.usage import Usage
from shared.kube import verbs


@dataclass(frozen=True)
class Promotions:
    """Writes are the rollout manager's for one promotion, by what was written."""

    count: int
    took: float
    bare: float
    used: Usage
    writes: dict[str, float]


async def measure(field: Field, count: int, quiet: float) -> Promotions:
    async with field.manager() as manager:
        field.report(f"{count} Rollouts of {REPLICAS} replicas: their first pods")
        await field.create(
            layout.rollout(number, field.namespace, REPLICAS, layout.by_pods()) for number in range(count)
        )
        await field.until_each(manager, count, lambda number: healthy(field.rollout(number)))
        before, used, events = await field.settled(quiet), manager.usage(), await _events(field)
        field.report("  a new image in all")
        clock = Clock.start()
        await each(field.push(number) for number in range(count))
        await field.until_each(manager, count, lambda number: _done(field.rollout(number)))
        took, used = clock.read(), manager.usage().since(used)
        field.report(f"  all Healthy after {took:.1f} s")
        written = await field.settled(quiet) - before
        writes = _each(written, count, await _events(field) - events)
    field.report("  the same by a bare client")
    return Promotions(count, took, await bare(field, count), used, writes)


def _done(rollout: Obj) -> bool:
    return image_of(rollout) == layout.SECOND and healthy(rollout)


def _each(written: Writes, count: int, events: int) -> dict[str, float]:
    """Of ReplicaSets the status is the controllers' own; of Rollouts one write each was the new image."""
    return {
        "status": written["rollouts", "status"] / count,
        "Rollout": written["rollouts", ""] / count - 1,
        "ReplicaSets": written["replicasets", ""] / count,
        "Events": events / count,
    }


async def _events(field: Field) -> int:
    resource = await field.discovery.resource("", "Event")
    found = await verbs.list_(field.cluster, resource, field.namespace, field_selector="source=rollouts-controller")
    return len(found)
