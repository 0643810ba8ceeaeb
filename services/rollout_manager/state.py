"""Where a Rollout is: what its status says of its way, read so that no status can hurt, and turned by the decision.

A status is writable by whoever may patch it (`kubectl argo rollouts` does): a wrong type is as if nothing stood there,
an index outside the steps is the nearest one inside. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.rollout_manager.keys import Obj
from shared.clock import parse_rfc3339

CANARY_PAUSE = "CanaryPauseStep"
BLUE_GREEN_PAUSE = "BlueGreenPause"
GATE_PAUSE = "GatePause"
INCONCLUSIVE_RUN = "InconclusiveAnalysisRun"
INCONCLUSIVE_EXPERIMENT = "InconclusiveExperiment"
LARGEST = 2**31 - 1


@dataclass
class State:
    """One Rollout's way. `pauses` are reasons with the times since when, in their order."""

    current_hash: str = ""
    step_hash: str = ""
    index: int | None = None
    stable: str = ""
    abort: bool = False
    aborted_at: str = ""
    abort_message: str = ""
    pauses: dict[str, str] = field(default_factory=dict)
    controller_pause: bool = False
    promote_full: bool = False
    restarted_at: str = ""
    collisions: int | None = None
    weights: Obj | None = None
    ping_pong: str = ""
    check_point: bool = False
    experiment: str = ""
    runs: dict[str, Obj] = field(default_factory=dict)

    def unpause(self) -> None:
        self.pauses.clear()
        self.controller_pause = False


def text(obj: Mapping[str, Any], *path: str) -> str:
    found = _at(obj, path)
    return found if isinstance(found, str) else ""


def flag(obj: Mapping[str, Any], *path: str) -> bool:
    return _at(obj, path) is True


def whole(obj: Mapping[str, Any], *path: str) -> int | None:
    found = _at(obj, path)
    return max(-1, min(found, LARGEST)) if isinstance(found, int) and not isinstance(found, bool) else None


def mapping(obj: Mapping[str, Any], *path: str) -> Obj:
    found = _at(obj, path)
    return found if isinstance(found, dict) else {}


def entries(obj: Mapping[str, Any], *path: str) -> list[Obj]:
    """The objects of a list."""
    found = _at(obj, path)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _at(obj: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        obj = obj.get(name) if isinstance(obj, Mapping) else None
    return obj


def moment(written: str) -> datetime | None:
    """A time as text; None when it is none."""
    try:
        return parse_rfc3339(written) if written else None
    except ValueError:
        return None


RUN_FIELDS = {
    "Step": ("canary", "currentStepAnalysisRunStatus"),
    "Background": ("canary", "currentBackgroundAnalysisRunStatus"),
    "PrePromotion": ("blueGreen", "prePromotionAnalysisRunStatus"),
    "PostPromotion": ("blueGreen", "postPromotionAnalysisRunStatus"),
}


def state_of(status: Obj) -> State:
    return State(
        current_hash=text(status, "currentPodHash"),
        step_hash=text(status, "currentStepHash"),
        index=whole(status, "currentStepIndex"),
        stable=text(status, "stableRS"),
        abort=flag(status, "abort"),
        aborted_at=text(status, "abortedAt"),
        abort_message=_abort_message(status),
        pauses=dict(_pauses(status)),
        controller_pause=flag(status, "controllerPause"),
        promote_full=flag(status, "promoteFull"),
        restarted_at=text(status, "restartedAt"),
        collisions=whole(status, "collisionCount"),
        weights=_weights(status),
        ping_pong=text(status, "canary", "stablePingPong"),
        check_point=flag(status, "blueGreen", "scaleUpPreviewCheckPoint"),
        experiment=text(status, "canary", "currentExperiment"),
        runs={type_: found for type_, path in RUN_FIELDS.items() if (found := mapping(status, *path))},
    )


def _pauses(status: Obj) -> list[tuple[str, str]]:
    return [(text(one, "reason"), text(one, "startTime")) for one in entries(status, "pauseConditions")]


def _weights(status: Obj) -> Obj | None:
    found = mapping(status, "canary", "weights")
    well = all(isinstance(mapping(found, side).get("weight", 0), int) for side in ("canary", "stable"))
    return found if found and well else None


def _abort_message(status: Obj) -> str:
    """The condition keeps why; the status has no field for it."""
    found = (one for one in entries(status, "conditions") if one.get("reason") == "RolloutAborted")
    return next((text(one, "message").partition(": ")[2] for one in found), "")
