"""The commands that change a Rollout: read it, make the patch (control.py), write it."""

from collections.abc import Callable
from typing import Any

from services.cli.errors import CliError, Exit
from services.cli.options import Where
from services.cli.output import note
from services.cli.rollout import control, store
from services.cli.rollout.control import Patches
from services.cli.session import open_cluster
from shared.clock import now

Obj = dict[str, Any]


async def change(where: Where, name: str, made: Callable[[Obj], Patches], said: str) -> None:
    async with open_cluster(where) as session:
        rollout = store.named(where, name)
        await store.write(session, rollout, made(await store.get(session, rollout)))
    note(f"{rollout} {said}")


async def approve(where: Where, name: str, reason: str) -> None:
    if not reason.strip():
        raise CliError("an approval needs a reason", code=Exit.USAGE)
    async with open_cluster(where) as session:
        rollout, who = store.named(where, name), await store.who(session)
        found = await store.get(session, rollout)
        await store.write(session, rollout, control.approve(found, who, reason.strip(), now()))
    note(f"{rollout} approved by {who}")


async def undo(where: Where, name: str, revision: int | None) -> None:
    async with open_cluster(where) as session:
        rollout = await store.get(session, store.named(where, name))
        sets = await store.owned(session, rollout, "apps", "ReplicaSet")
        await store.replace_template(session, rollout, control.undo(rollout, sets, revision))
    note(
        f"{store.named(where, name)} goes back to {'revision ' + str(revision) if revision else 'the revision before'}"
    )


def images(words: list[str]) -> dict[str, str]:
    """CONTAINER=IMAGE, several."""
    pairs = [word.partition("=") for word in words]
    if wrong := [word for word, (name, sign, image) in zip(words, pairs, strict=True) if not (name and sign and image)]:
        raise CliError(f"{wrong[0]!r} is not CONTAINER=IMAGE", code=Exit.USAGE)
    return {name: image for name, _, image in pairs}
