"""The safety sweep: every Application with images is looked at once an interval, spread evenly over it.

For what no event tells: a webhook that got lost, a tag that went away, a commit that set a value back.
"""

import asyncio

from services.image_updater.forgetting import tidy
from services.image_updater.keys import ImageKey
from services.image_updater.parts import Parts
from services.image_updater.watching import tell_all

STEP_SECONDS = 1.0


async def sweep(the: Parts) -> None:
    """Until cancelled."""
    unwanted = frozenset[ImageKey]()
    while True:
        began = asyncio.get_running_loop().time()
        tell_all(the)
        unwanted = await tidy(the, unwanted)
        keys = sorted(the.rules)
        rounds = max(1, round(the.settings.sweep_seconds / STEP_SECONDS))
        each = -(-len(keys) // rounds)
        while keys:
            await asyncio.sleep(the.settings.sweep_seconds / rounds)
            for key in keys[:each]:
                the.queue.add(key)
            keys = keys[each:]
        await asyncio.sleep(max(0.0, began + the.settings.sweep_seconds - asyncio.get_running_loop().time()))
