"""What each command writes into a Rollout, as patches: the same that `kubectl argo rollouts` writes. Pure.

`spec` patches go to the object, `status` patches to its status subresource. CliError: there is nothing to do.
"""

from datetime import datetime
from typing import Any, NamedTuple

import orjson

from services.cli.app.view import at, text
from services.cli.errors import CliError
from shared.clock import rfc3339
from shared.kinds.wire import InvalidObject

Obj = dict[str, Any]
HASH = "rollouts-pod-template-hash"
GATE_PAUSE = "GatePause"
PAST_GATES = "`tiphys rollout approve` opens a gate for people; `skip` and `promote --full` go past all of them"
KEPT_APPROVALS = 20
REVISION = "rollout.argoproj.io/revision"


class Patches(NamedTuple):
    spec: Obj | None = None
    status: Obj | None = None


def index_of(rollout: Obj) -> int:
    found = at(rollout, "status", "currentStepIndex")
    return found if isinstance(found, int) else 0


def steps_of(rollout: Obj) -> list[Obj]:
    found: list[Obj] = at(rollout, "spec", "strategy", "canary", "steps") or []
    return found


def promote(rollout: Obj, *, full: bool) -> Patches:
    """End the pause; without one take the step; `full`: skip everything that is left."""
    unpause = {"spec": {"paused": False}} if at(rollout, "spec", "paused") else None
    if full:
        done = text(rollout, "status", "currentPodHash") == text(rollout, "status", "stableRS")
        if done:
            raise CliError("it is fully promoted already")
        return Patches(unpause, {"promoteFull": True})
    reasons = [str(one.get("reason")) for one in at(rollout, "status", "pauseConditions") or ()]
    if GATE_PAUSE in reasons:
        raise CliError("its gates are not open; `tiphys rollout get` says what they wait for", hint=PAST_GATES)
    if any(reason.startswith("Inconclusive") for reason in reasons):
        step = {"currentStepIndex": index_of(rollout) + 1} if steps_of(rollout) else {}
        return Patches(unpause, {"pauseConditions": None, "controllerPause": False, **step})
    if reasons:
        return Patches(unpause, {"pauseConditions": None})
    return Patches(unpause, _next_step(rollout, needed=unpause is None))


def _next_step(rollout: Obj, *, needed: bool) -> Obj | None:
    if index_of(rollout) < len(steps_of(rollout)):
        return {"currentStepIndex": index_of(rollout) + 1}
    if needed:
        raise CliError("there is nothing to promote: no pause and no step is left")
    return None


def skip(rollout: Obj) -> Patches:
    """Leave the current step, whatever it waits for."""
    if index_of(rollout) >= len(steps_of(rollout)):
        raise CliError("there is no step to skip")
    step = {"currentStepIndex": index_of(rollout) + 1}
    return Patches(status={"pauseConditions": None, "controllerPause": False, **step})


def approve(rollout: Obj, who: str, reason: str, now: datetime) -> Patches:
    """Say that a gate may be passed, who says so and why; for the pause that is waited in now and no other."""
    from services.rollout_manager.gates import APPROVALS, PROMOTION
    from services.rollout_manager.gates.written import approvals_of, gates_of

    annotations = at(rollout, "metadata", "annotations") or {}
    place = index_of(rollout) if at(rollout, "spec", "strategy", "canary") is not None else PROMOTION
    pauses = {one.get("reason"): one.get("startTime") for one in at(rollout, "status", "pauseConditions") or ()}
    try:
        asked = any(gate.approval is not None and gate.step == place for gate in gates_of(annotations))
    except InvalidObject as error:
        raise CliError(f"its gates can't be read: {error}") from error
    if not asked or GATE_PAUSE not in pauses:
        raise CliError("it does not wait for an approval")
    given = {"by": who, "reason": reason, "at": rfc3339(now), "step": place, "since": pauses[GATE_PAUSE]}
    given["hash"] = text(rollout, "status", "currentPodHash")
    all_ = [*approvals_of(annotations), given][-KEPT_APPROVALS:]
    metadata = {"annotations": {APPROVALS: orjson.dumps(all_).decode()}}
    return Patches({"metadata": {**metadata, "resourceVersion": rollout["metadata"]["resourceVersion"]}})


def pause(_rollout: Obj) -> Patches:
    return Patches({"spec": {"paused": True}})


def resume(_rollout: Obj) -> Patches:
    return Patches({"spec": {"paused": False}})


def abort(rollout: Obj) -> Patches:
    if text(rollout, "status", "currentPodHash") == text(rollout, "status", "stableRS"):
        raise CliError("there is no update to abort")
    return Patches(status={"abort": True})


def retry(rollout: Obj) -> Patches:
    if not at(rollout, "status", "abort"):
        raise CliError("it is not aborted")
    step = {"currentStepIndex": 0} if steps_of(rollout) else {}
    return Patches(status={"abort": False, **step})


def restart(_rollout: Obj, now: datetime) -> Patches:
    return Patches({"spec": {"restartAt": rfc3339(now)}})


def set_image(rollout: Obj, images: dict[str, str]) -> Patches:
    """`CONTAINER=IMAGE`, or `*=IMAGE` for all."""
    spec = at(rollout, "spec", "template", "spec") or {}
    if not spec:
        raise CliError("its pod template is another object's: set the image there")
    known = {one.get("name") for field in ("containers", "initContainers") for one in spec.get(field) or ()}
    if missing := [name for name in images if name != "*" and name not in known]:
        raise CliError(f"it has no container {', '.join(missing)}; it has {', '.join(sorted(map(str, known)))}")
    change = {
        field: [
            {**one, "image": images.get(str(one.get("name")), images.get("*", one.get("image")))} for one in spec[field]
        ]
        for field in ("containers", "initContainers")
        if spec.get(field)
    }
    return Patches({"spec": {"template": {"spec": change}}})


def undo(rollout: Obj, sets: list[Obj], revision: int | None) -> Obj:
    """The pod template of an earlier revision: the one before, or the one that is named."""
    now = _number(text(rollout, "metadata", "annotations", REVISION))
    by_revision = {_number(text(one, "metadata", "annotations", REVISION)): one for one in sets}
    earlier = sorted(number for number in by_revision if number < now)
    wanted = revision if revision is not None else (earlier[-1] if earlier else None)
    if wanted is None or wanted not in by_revision:
        shown = ", ".join(map(str, sorted(by_revision))) or "none"
        raise CliError(f"there is no revision {wanted if wanted is not None else 'before this one'}; there is {shown}")
    from services.rollout_manager.replicaset import original_template
    from services.rollout_manager.tracking import without

    return without(original_template(by_revision[wanted]))


def _number(written: str) -> int:
    return int(written) if written.isdecimal() else 0
