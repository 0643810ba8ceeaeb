"""From a promotion to the weight in the route: paused canaries are promoted one after the other, as kubectl's plugin
does it, and the bench watches the Ingress that carries the weight.

One replica each, so that no step waits for pods: those would measure the node.
"""

import math

from services.stack.bench.numbers import Spread, spread
from services.stack.bench.rollouts import layout
from services.stack.bench.rollouts.field import Clock, Field, while_running
from services.stack.bench.rollouts.process import Manager

PAUSES = 5
WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"


async def measure(field: Field, promotions: int) -> Spread:
    count, pauses = math.ceil(promotions / PAUSES), min(PAUSES, promotions)
    async with field.manager() as manager:
        field.report(f"{count} Rollouts with an Ingress each: {promotions} promotions")
        for number in range(count):
            await field.create([*layout.services(number, field.namespace), layout.ingress(number, field.namespace)])
        await field.create(
            layout.rollout(number, field.namespace, 1, layout.by_traffic(number, pauses)) for number in range(count)
        )
        await field.until_each(manager, count, lambda number: _status(field, number, "phase") == "Healthy")
        for number in range(count):
            await field.push(number)
        turns = [(number, turn) for turn in range(pauses) for number in range(count)][:promotions]
        return spread([await _promoted(field, manager, number, turn) for number, turn in turns])


def _status(field: Field, number: int, name: str) -> object:
    return (field.rollout(number).get("status") or {}).get(name)


async def _promoted(field: Field, manager: Manager, number: int, turn: int) -> float:
    """The weight grows by one with each pause that ends."""

    def paused() -> bool:
        return bool(_status(field, number, "pauseConditions")) and _status(field, number, "currentStepIndex") == (
            2 * turn + 1
        )

    def written() -> bool:
        name = layout.canary_ingress(number)
        found = field.observed.get("Ingress", field.namespace, name) or {"metadata": {}}
        return (found["metadata"].get("annotations") or {}).get(WEIGHT) == str(turn + 2)

    name = layout.name_of(number)
    await while_running(manager, field.observed.until(paused, 60.0, lambda: f"{name} is not paused"))
    await field.patch("Rollout", name, {"status": {"pauseConditions": None}}, subresource="status")
    clock = Clock.start()
    await while_running(manager, field.observed.until(written, 60.0, lambda: f"{name} has not its weight"))
    return clock.read()
