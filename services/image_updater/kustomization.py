"""The `images` of a kustomization.yaml: the entry of an image gets its new tag and digest, or is added. Pure."""

from collections.abc import Callable

import yaml

from services.image_updater import assigning
from services.image_updater.keys import Version
from services.image_updater.policy import WantedImage
from services.image_updater.refusals import Refused
from shared.yamlio.edit import Edit, YamlText, appended_item, child, item, removal, scalar, set_texts

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
Exists = Callable[[str], bool]


def file_in(folder: str, exists: Exists) -> str:
    """The kustomization of a folder; a path of a file itself is taken as it is."""
    if folder.rpartition("/")[2] in NAMES:
        return folder
    candidates = [f"{folder}/{name}".lstrip("/") for name in NAMES]
    found = next((path for path in candidates if exists(path)), None)
    if found is None:
        raise Refused("TargetNotFound", f"there is no kustomization.yaml in {folder or 'the root of the repository'}")
    return found


def current(data: bytes, name: str, image: WantedImage) -> Version:
    entry = _entry(YamlText(data, name), image)
    if entry is None:
        return Version()
    return Version(_text(entry[1], "newTag"), _text(entry[1], "digest"))


def edited(data: bytes, name: str, image: WantedImage, version: Version) -> bytes:
    file = YamlText(data, name)
    found = _entry(file, image)
    if found is None:
        return file.edited([_addition(file, _fields(image, version))])
    position, entry = found
    wanted = [(key, value) for key, value in _fields(image, version)[1:] if not _means_the_same(entry, key, image)]
    changed = set_texts(data, name, [(("images", position, key), value) for key, value in wanted])
    return changed if version.digest else _without_digest(changed, name, position)


def _fields(image: WantedImage, version: Version) -> list[tuple[str, str]]:
    name = assigning.kustomize_name(image)
    renamed = [("newName", image.written)] if name != image.written else []
    parts = (("newTag", version.tag), ("digest", version.digest))
    return [("name", name), *renamed, *((key, value) for key, value in parts if value)]


def _means_the_same(entry: yaml.Node, key: str, image: WantedImage) -> bool:
    return key == "newName" and assigning.same_image(_text(entry, "newName"), image.image)


def _without_digest(data: bytes, name: str, position: int) -> bytes:
    """A digest that nobody renews would win over the new tag."""
    file = YamlText(data, name)
    entry = child(child(file.root, "images"), position)
    if isinstance(entry, yaml.MappingNode) and child(entry, "digest") is not None:
        return file.edited([removal(file, entry, "digest")])
    return data


def _entry(file: YamlText, image: WantedImage) -> tuple[int, yaml.Node] | None:
    images = child(file.root, "images")
    if images is None or (isinstance(images, yaml.ScalarNode) and not images.value):
        return None
    if not isinstance(images, yaml.SequenceNode):
        file.fail(images, "images is no list")
    name = assigning.kustomize_name(image)
    for position, entry in enumerate(images.value):
        if _text(entry, "name") == name:
            return position, entry
    return None


def _text(entry: yaml.Node, key: str) -> str:
    return str(getattr(child(entry, key), "value", "") or "")


def _addition(file: YamlText, fields: list[tuple[str, str]]) -> Edit:
    images = child(file.root, "images")
    if isinstance(images, yaml.SequenceNode) and (images.value or images.flow_style):
        return appended_item(file, images, fields)
    pairs = [f"{scalar(name)}: {scalar(value)}" for name, value in fields]
    if images is not None:
        start, end = file.span(images)
        return Edit(start, end, file.newline + item(pairs, 0, file.newline).removesuffix(file.newline))
    end = len(file.text)
    opened = "" if not file.text or file.text.endswith("\n") else file.newline
    return Edit(end, end, f"{opened}images:{file.newline}{item(pairs, 0, file.newline)}")
