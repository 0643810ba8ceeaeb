"""The objects that go with an Application: highest wave first, one wave at a time, each waited for.

What says `Delete=false`, Helm's keep, a CustomResourceDefinition and the Application itself stay; what runs before and
after a deletion is not part of it. An object is deleted only by its uid and only when its own tracking names this
Application; what can't be read is not deleted.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from services.reconciler.desired import hook_phases
from services.reconciler.destination import Destination
from services.reconciler.hooks import freed
from services.reconciler.keys import AppKey
from services.reconciler.live import Live
from services.reconciler.waits import DEFINITION, until_gone
from shared.kinds.application import IN_CLUSTER
from shared.kinds.options import delete_consent, sync_wave
from shared.kinds.refs import ResourceKey

AROUND = {"PreDelete", "PostDelete"}


@dataclass(frozen=True, slots=True)
class Leaving:
    """An Application that goes, and how: the name that its objects are tracked by, what of them its project does not
    permit, its sync options.
    """

    destination: Destination
    app: AppKey
    instance: str
    foreign: Callable[[ResourceKey], bool]
    options: tuple[str, ...] = ()
    propagation: str = "Foreground"


async def delete_all(leaving: Leaving) -> None:
    """Delete everything that is to go, and wait until it is gone. Raises ApiError."""
    while owned := owned_objects(leaving):
        waves = {live: sync_wave(live.load()) for live in owned}
        last = max(waves.values())
        going = [live for live in owned if waves[live] == last]
        await asyncio.gather(*(delete(leaving, live) for live in going))
        await asyncio.gather(*(until_gone(leaving.destination, live.key, live.uid) for live in going))


async def delete(leaving: Leaving, live: Live) -> None:
    """Delete one object, if that is not under way; a finalizer that Argo CD left on a hook does not hold it."""
    await freed(leaving.destination, live)
    if not live.deleting:
        await leaving.destination.delete(live.key, uid=live.uid, propagation=leaving.propagation)


def owned_objects(leaving: Leaving) -> list[Live]:
    """Give the objects that are to go with the Application."""
    live = leaving.destination.live
    found = [live.get(key) for key in live.tracked(leaving.instance)]
    own = own_key(leaving)
    mine = [one for one in found if one and not one.owned and one.key != own and not leaving.foreign(one.key)]
    return [one for one in mine if goes(one, leaving.options)]


def goes(live: Live, options: Iterable[str]) -> bool:
    """Tell whether an object goes with its Application; with `Delete=confirm` only once that is confirmed."""
    body = live.load()
    around = AROUND & set(hook_phases(body) or ())
    return live.key.group_kind != DEFINITION and not around and delete_consent(body, options) != "no"


def unconfirmed(leaving: Leaving) -> list[ResourceKey]:
    """Give the objects that only go when a person confirms it."""
    return [one.key for one in owned_objects(leaving) if delete_consent(one.load(), leaving.options) == "confirm"]


def own_key(leaving: Leaving) -> ResourceKey | None:
    """Give what the Application itself is called where it is delivered to: one may hold itself."""
    own = ResourceKey("argoproj.io", "Application", leaving.app.namespace, leaving.app.name)
    return own if leaving.destination.server == IN_CLUSTER else None
