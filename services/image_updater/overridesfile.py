"""`.argocd-source-<app>.yaml`: the parameters, images or variables of one source that we set; what others wrote stays.

Values that are there are changed in place; when one is added, the file is written anew with its lists sorted. Pure.
"""

from collections.abc import Sequence
from typing import Any

from services.image_updater import assigning
from services.image_updater.assigning import Assigned
from services.image_updater.keys import Version
from services.image_updater.policy import WantedImage
from services.image_updater.refusals import Refused
from shared import yamlio
from shared.yamlio.edit import Path, set_texts

Obj = dict[str, Any]


def current(data: bytes | None, name: str, source_type: str, image: WantedImage) -> Version:
    known = _loaded(data, name)
    if source_type == "Kustomize":
        entries = _list(known, "kustomize", "images")
        mine = assigning.kustomize_name(image)
        found = next((one for one in entries if assigning.entry_name(str(one)) == mine), "")
        return assigning.version_of(str(found).rpartition("=")[2], image.image)
    wanted, place = _assigned(source_type, image, Version("-"))
    entry: Obj = next((one for one in _list(known, *place) if one.get("name") == wanted[-1].name), {})
    return assigning.version_of(str(entry.get("value") or ""), image.image)


def edited(data: bytes | None, name: str, source_type: str, image: WantedImage, version: Version) -> bytes:
    known = _loaded(data, name)
    if source_type == "Kustomize":
        return _with_images(
            data, name, known, assigning.with_image(_list(known, "kustomize", "images"), image, version)
        )
    wanted, place = _assigned(source_type, image, version)
    entries = _list(known, *place)
    if not wanted:
        raise Refused("InvalidKey", f"{image.alias}: the plugin target names no variable: give spec, or name and tag")
    names = [one.get("name") for one in entries]
    if data is not None and all(one.name in names for one in wanted):
        at: list[tuple[Path, str]] = [((*place, names.index(one.name), "value"), one.value) for one in wanted]
        return set_texts(data, name, at)
    return _dumped(known, place, _merged(entries, wanted, forced=source_type == "Helm"))


def _assigned(source_type: str, image: WantedImage, version: Version) -> tuple[list[Assigned], tuple[str, str]]:
    if source_type == "Plugin":
        return assigning.plugin(image, version), ("plugin", "env")
    return assigning.helm(image, version), ("helm", "parameters")


def _merged(entries: Sequence[Obj], wanted: Sequence[Assigned], *, forced: bool) -> list[Obj]:
    by_name = {str(one.get("name")): dict(one) for one in entries}
    for one in wanted:
        force = {"forceString": True} if forced else {}
        by_name[one.name] = {**by_name.get(one.name, {}), "name": one.name, "value": one.value, **force}
    return [by_name[name] for name in sorted(by_name)]


def _with_images(data: bytes | None, name: str, known: Obj, images: list[str]) -> bytes:
    before = _list(known, "kustomize", "images")
    if data is not None and len(before) == len(images):
        changed = [(("kustomize", "images", at), new) for at, new in enumerate(images) if new != before[at]]
        return set_texts(data, name, changed)
    return _dumped(known, ("kustomize", "images"), images)


def _dumped(known: Obj, place: tuple[str, str], entries: list[Any]) -> bytes:
    outer, inner = place
    return yamlio.dump({**known, outer: {**(known.get(outer) or {}), inner: entries}}).encode()


def _loaded(data: bytes | None, name: str) -> Obj:
    documents = yamlio.load_all(data, name) if data else []
    if len(documents) > 1 or not all(isinstance(one, dict) for one in documents):
        raise Refused("InvalidFile", f"{name} is no map of Argo CD's source parameters: correct or delete it")
    return documents[0] if documents else {}


def _list(known: Obj, outer: str, inner: str) -> list[Any]:
    section = known.get(outer) or {}
    found = section.get(inner) if isinstance(section, dict) else None
    return found if isinstance(found, list) else []
