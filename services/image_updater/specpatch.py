"""Method `argocd`: the new version goes into the Application's own source, and nothing else of it is touched. Pure.

In: the object as it is now, the change. Out: a JSON patch that holds only while the object is at the version that was
read, or None where it says so already. Whoever changed the Application meanwhile loses nothing: it is read again.
"""

from typing import Any

from services.image_updater import assigning
from services.image_updater.assigning import Assigned
from services.image_updater.keys import Version
from services.image_updater.policy import WantedImage

Obj = dict[str, Any]
Patch = list[Obj]


def patch_of(app: Obj, position: int, source_type: str, image: WantedImage, version: Version) -> Patch | None:
    spec = app["spec"]
    many = bool(spec.get("sources"))
    source: Obj = spec["sources"][position] if many else spec["source"]
    where = f"/spec/sources/{position}" if many else "/spec/source"
    operations = _operations(source, where, source_type, image, version)
    if not operations:
        return None
    guard = {"op": "test", "path": "/metadata/resourceVersion", "value": app["metadata"]["resourceVersion"]}
    return [guard, *operations]


def _operations(source: Obj, where: str, source_type: str, image: WantedImage, version: Version) -> Patch:
    if source_type == "Kustomize":
        images = list((source.get("kustomize") or {}).get("images") or ())
        new = assigning.with_image([str(one) for one in images], image, version)
        return [] if new == images else [*_opened(source, where, "kustomize"), _add(f"{where}/kustomize/images", new)]
    if source_type == "Plugin":
        return _entries(source, where, ("plugin", "env"), assigning.plugin(image, version), forced=False)
    return _entries(source, where, ("helm", "parameters"), assigning.helm(image, version), forced=True)


def _entries(source: Obj, where: str, place: tuple[str, str], wanted: list[Assigned], *, forced: bool) -> Patch:
    """Only the entries concerned; a list that is not there yet is made with them."""
    outer, inner = place
    known: list[Obj] = list((source.get(outer) or {}).get(inner) or ())
    missing, operations = list[Obj](), list[Obj]()
    for one in wanted:
        force = {"forceString": True} if forced else {}
        at = next((at for at, entry in enumerate(known) if entry.get("name") == one.name), None)
        if at is None:
            missing.append({"name": one.name, "value": one.value, **force})
        elif known[at].get("value") != one.value:
            operations.append(_add(f"{where}/{outer}/{inner}/{at}", {**known[at], "value": one.value, **force}))
            operations[-1]["op"] = "replace"
    if missing and not known:
        return [*_opened(source, where, outer), _add(f"{where}/{outer}/{inner}", missing)]
    return operations + [_add(f"{where}/{outer}/{inner}/-", entry) for entry in missing]


def _opened(source: Obj, where: str, outer: str) -> Patch:
    return [] if source.get(outer) else [_add(f"{where}/{outer}", {})]


def _add(path: str, value: Any) -> Obj:
    return {"op": "add", "path": path, "value": value}
