"""What is written of a status before anything else is done: where the Rollout is now. Pure.

Everything a pass does follows from where the Rollout is, and that a pass has moved on is known to nobody else until it
is written. A manager that died in between would begin at the step before, and take back what the next step had made:
for ever, if it died often enough. So the way is written first. What the writes are still to bring about (weights,
selectors, a phase in which nothing moves) is written when they are done.
"""

from services.rollout_manager.keys import Obj
from services.rollout_manager.state import RUN_FIELDS, mapping

WAY = (
    ("currentPodHash",),
    ("currentStepHash",),
    ("currentStepIndex",),
    ("stableRS",),
    ("abort",),
    ("promoteFull",),
    ("pauseConditions",),
    ("controllerPause",),
    ("canary", "stablePingPong"),
    ("canary", "currentExperiment"),
    ("blueGreen", "scaleUpPreviewCheckPoint"),
    *((*path, "name") for path in RUN_FIELDS.values()),
)
CLAIMS = (("canary", "weights"), ("blueGreen", "activeSelector"), ("blueGreen", "previewSelector"))
RESTING = {"Healthy", "Paused", "Degraded"}


def checkpoint(before: Obj, after: Obj) -> Obj | None:
    """The status to write first; None: the Rollout is where it was."""
    if all(_at(before, path) == _at(after, path) for path in WAY):
        return None
    healthy = after.get("phase") == "Healthy"
    first = _with(after, before, (*CLAIMS, ("conditions",)) if healthy else CLAIMS)
    return first | {"phase": "Progressing", "message": None} if after.get("phase") in RESTING else first


def _at(status: Obj, path: tuple[str, ...]) -> object:
    return mapping(status, *path[:-1]).get(path[-1])


def _with(status: Obj, other: Obj, paths: tuple[tuple[str, ...], ...]) -> Obj:
    """A status with what another one has at some places."""
    made = {**status, **{name: dict(mapping(status, name)) for name in ("canary", "blueGreen")}}
    for path in paths:
        target = made[path[0]] if len(path) > 1 else made
        target[path[-1]] = _at(other, path)
    return made
