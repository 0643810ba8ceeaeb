"""From the verdict and health of each object to the sync status and health of the Application. Pure (spec 2.2, steps 5
to 7).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.reconciler.compare import SyncStatus
from services.reconciler.desired import Target
from shared.health import Health, worst
from shared.kinds.refs import GroupKind, ResourceKey

Obj = dict[str, Any]
APPLICATION = GroupKind("argoproj.io", "Application")


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of one object of an Application.

    `health` None: its kind has no health. `live`: it exists, `leaving`: it is being deleted, `confirm`: not without a
    person's word. `urls`: where a person may open it.
    """

    key: ResourceKey
    version: str
    status: SyncStatus
    health: Health | None
    live: bool
    wanted: bool
    wave: int = 0
    ignored: bool = False
    leaving: bool = False
    confirm: bool = False
    urls: tuple[str, ...] = ()


def sync_status(found: Iterable[Found], *, drifted: bool = False) -> SyncStatus:
    """Unknown when anything is unknown, else OutOfSync when anything is (be it the managed namespace), else Synced."""
    seen = {one.status for one in found} | ({"OutOfSync"} if drifted else set())
    return "Unknown" if "Unknown" in seen else "OutOfSync" if "OutOfSync" in seen else "Synced"


def health_status(found: Iterable[Found]) -> Health:
    """Give the worst health of what lives; Missing when objects are wanted and none lives."""
    all_found = list(found)
    wanted = [one for one in all_found if one.wanted]
    if wanted and not any(one.live for one in wanted):
        return Health("Missing", "")
    counted = [one for one in all_found if one.live and one.wanted and not one.ignored and counts(one)]
    status = worst(one.health.weight for one in counted if one.health)
    causes = [one for one in counted if one.health and one.health.weight == status]
    return Health(status, _caused_by(causes) if status in {"Degraded", "Unknown"} else "")


def counts(one: Found) -> bool:
    """Tell whether an object's health says something of the Application's: that of an Application that nobody has
    looked at yet does not.
    """
    if one.health is None:
        return False
    return one.key.group_kind != APPLICATION or one.health.status not in {"Missing", "Unknown"}


def _caused_by(causes: list[Found]) -> str:
    names = [
        f"{one.key.kind}/{one.key.name}" + (f": {one.health.message}" if one.health and one.health.message else "")
        for one in causes
    ]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return "Caused by " + ", ".join(names[:3]) + more


def resource_status(one: Found) -> Obj:
    """Give the entry of `status.resources[]`."""
    entry: Obj = {"group": one.key.group, "version": one.version, "kind": one.key.kind}
    entry |= {"namespace": one.key.namespace, "name": one.key.name, "status": one.status}
    entry = {key: value for key, value in entry.items() if value}
    if one.health is not None or not one.live:
        entry["health"] = health_entry(one.health or Health("Missing", ""))
    if not one.wanted:
        entry["requiresPruning"] = True
    if one.confirm:
        entry["requiresDeletionConfirmation"] = True
    if one.wave:
        entry["syncWave"] = one.wave
    return entry


def health_entry(health: Health) -> Obj:
    """Give Argo's form of a health."""
    return {"status": health.status, **({"message": health.message} if health.message else {})}


def images(targets: Mapping[ResourceKey, Target]) -> list[str]:
    """Give the container images of all wanted pods and pod templates, sorted."""
    found: set[str] = set()
    for target in targets.values():
        spec = _pod_spec(target.obj)
        for group in ("initContainers", "containers"):
            found.update(
                str(one["image"]) for one in spec.get(group) or () if isinstance(one, dict) and one.get("image")
            )
    return sorted(found)


def _pod_spec(obj: Obj) -> Obj:
    spec: Any = obj.get("spec")
    if obj.get("kind") == "CronJob":
        spec = _inside(spec, "jobTemplate", "spec")
    if obj.get("kind") != "Pod":
        spec = _inside(spec, "template", "spec")
    return spec if isinstance(spec, dict) else {}


def _inside(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
