"""A Rollout as rows and lines for people. Pure."""

from typing import Any

from services.cli.app.view import at, text
from services.cli.rollout.control import HASH, REVISION, index_of, steps_of

Obj = dict[str, Any]
LIST_HEADER = (
    "NAMESPACE",
    "NAME",
    "STRATEGY",
    "STATUS",
    "STEP",
    "WEIGHT",
    "READY",
    "DESIRED",
    "UP-TO-DATE",
    "AVAILABLE",
)
WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"
SET_HEADER = ("REVISION", "REPLICASET", "ROLE", "PODS", "AVAILABLE", "IMAGES")
RUN_HEADER = ("KIND", "NAME", "STATUS", "MESSAGE")


def strategy(rollout: Obj) -> str:
    return "BlueGreen" if at(rollout, "spec", "strategy", "blueGreen") is not None else "Canary"


def step(rollout: Obj) -> str:
    steps = steps_of(rollout)
    return f"{min(index_of(rollout), len(steps))}/{len(steps)}" if steps else "-"


def weight(rollout: Obj) -> str:
    found = at(rollout, "status", "canary", "weights", "canary", "weight")
    return "-" if found is None else str(found)


def desired(rollout: Obj) -> int:
    found = at(rollout, "spec", "replicas")
    return 1 if found is None else int(found)


def phase(rollout: Obj) -> str:
    """The phase, unless the controller has not seen yet what was asked for last."""
    return "Progressing" if unseen(rollout) else text(rollout, "status", "phase") or "Progressing"


def message(rollout: Obj) -> str:
    return unseen(rollout) or text(rollout, "status", "message")


def unseen(rollout: Obj) -> str:
    """What the controller still has to see, in the kubectl plugin's words; empty: nothing."""
    status = at(rollout, "status") or {}
    if text(status, "observedGeneration") != str(at(rollout, "metadata", "generation")):
        return "waiting for rollout spec update to be observed"
    if status.get("controllerPause") and not status.get("pauseConditions"):
        return "waiting for rollout to unpause"
    generation = text(rollout, "metadata", "annotations", WORKLOAD_GENERATION)
    if generation and at(rollout, "spec", "workloadRef") and generation != text(status, "workloadObservedGeneration"):
        return "waiting for rollout spec update to be observed for the reference workload"
    return ""


def count(rollout: Obj, name: str) -> str:
    return str(at(rollout, "status", name) or 0)


def list_row(rollout: Obj) -> tuple[str, ...]:
    metadata = rollout["metadata"]
    return (
        metadata["namespace"],
        metadata["name"],
        strategy(rollout),
        phase(rollout),
        step(rollout),
        weight(rollout),
        f"{count(rollout, 'readyReplicas')}/{count(rollout, 'replicas')}",
        str(desired(rollout)),
        count(rollout, "updatedReplicas"),
        count(rollout, "availableReplicas"),
    )


def get_rows(rollout: Obj) -> list[tuple[str, str]]:
    rows = [
        ("Name", rollout["metadata"]["name"]),
        ("Namespace", rollout["metadata"]["namespace"]),
        ("Status", phase(rollout)),
        ("Message", message(rollout)),
        *(("Waits for", words) for words in gates(rollout)),
        *(("Approved", words) for words in approvals(rollout)),
        ("Strategy", strategy(rollout)),
        ("Step", step(rollout)),
        ("Weight", weight(rollout)),
        ("Desired", str(desired(rollout))),
        ("Current", count(rollout, "replicas")),
        ("Updated", count(rollout, "updatedReplicas")),
        ("Ready", count(rollout, "readyReplicas")),
        ("Available", count(rollout, "availableReplicas")),
    ]
    return [(label, value) for label, value in rows if value not in {"", "-"}]


def gates(rollout: Obj) -> list[str]:
    """What each of its gates waits for."""
    found = at(rollout, "status", "conditions") or ()
    waiting = (one for one in found if one.get("type") == "Gated" and one.get("status") == "True")
    return [words for one in waiting for words in text(one, "message").split("; ")]


def approvals(rollout: Obj) -> list[str]:
    """Who has approved this version, and why."""
    from services.rollout_manager.gates.written import approvals_of

    hash_ = text(rollout, "status", "currentPodHash")
    given = approvals_of(at(rollout, "metadata", "annotations") or {})
    return [
        f"{one.get('step')} by {one.get('by')} at {one.get('at')}: {one.get('reason')}"
        for one in given
        if one.get("hash") == hash_
    ]


def role(rollout: Obj, replica_set: Obj) -> str:
    hash_ = text(replica_set, "metadata", "labels", HASH)
    green = at(rollout, "status", "blueGreen") or {}
    roles = {
        "stable": text(rollout, "status", "stableRS"),
        "canary" if strategy(rollout) == "Canary" else "preview": text(rollout, "status", "currentPodHash"),
        "active": text(green, "activeSelector"),
    }
    found = [name for name, wanted in roles.items() if wanted and wanted == hash_]
    return ",".join(one for one in found if one not in {"canary", "preview"} or "stable" not in found)


def set_rows(rollout: Obj, sets: list[Obj]) -> list[tuple[str, ...]]:
    rows = [
        (
            text(one, "metadata", "annotations", REVISION),
            one["metadata"]["name"],
            role(rollout, one),
            str(at(one, "spec", "replicas") or 0),
            str(at(one, "status", "availableReplicas") or 0),
            ",".join(str(c.get("image")) for c in at(one, "spec", "template", "spec", "containers") or ()),
        )
        for one in sets
    ]
    return sorted(rows, key=lambda row: int(row[0] or 0), reverse=True)


def run_rows(kind: str, runs: list[Obj]) -> list[tuple[str, ...]]:
    return [
        (kind, one["metadata"]["name"], text(one, "status", "phase") or "Pending", text(one, "status", "message"))
        for one in runs
    ]


def line(rollout: Obj) -> str:
    """One state, for following."""
    weighs = f"weight {weight(rollout)}" if weight(rollout) != "-" else ""
    steps = f"step {step(rollout)}" if step(rollout) != "-" else ""
    updated, available = count(rollout, "updatedReplicas"), count(rollout, "availableReplicas")
    pods = f"{updated}/{desired(rollout)} updated, {available} available"
    return "  ".join(part for part in (phase(rollout), steps, weighs, pods, message(rollout)) if part)
