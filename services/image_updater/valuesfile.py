"""Keys of Helm values files: dotted, with list positions, or literally as written. Pure."""

import re
from typing import NamedTuple

from services.image_updater import assigning
from services.image_updater.keys import Version
from services.image_updater.policy import WantedImage
from services.image_updater.refusals import Refused
from shared.yamlio.edit import Path, YamlText, find

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class Setting(NamedTuple):
    path: Path
    value: str


def path_of(key: str) -> Path:
    """`a.b[0].c`. Raises Refused for what is no key."""
    steps, at = list[str | int](), 0
    for match in _STEP.finditer(key):
        between = key[at : match.start()]
        if between not in ("", ".") or (between == "." and not steps) or (not between and steps and match[1]):
            break
        steps.append(int(match[2]) if match[2] else match[1])
        at = match.end()
    if at != len(key) or not steps or isinstance(steps[0], int):
        raise Refused("InvalidKey", f"{key!r} is no key of a values file: write it as image.tag or images[0].tag")
    return tuple(steps)


def resolved(file: YamlText, key: str) -> Path:
    """The path of a key; one that stands in the file literally with its dots is meant so."""
    root = file.root
    if find(root, (key,)) is not None:
        path = path_of(key) if "." in key else (key,)
        return path if len(path) > 1 and find(root, path) is not None else (key,)
    return path_of(key)


def settings(data: bytes, name: str, image: WantedImage, version: Version) -> list[Setting]:
    """What to set in a file. A name that means this repository already, however it is written, stays."""
    file = YamlText(data, name)
    found = list[Setting]()
    for assigned in assigning.helm(image, version, values=True):
        path = resolved(file, assigned.name)
        node = find(file.root, path)
        there = str(getattr(node, "value", ""))
        if assigned.optional and node is None:
            continue
        if assigned.value == image.written and assigning.same_image(there, image.image):
            continue
        found.append(Setting(path, assigned.value))
    return found


def current(data: bytes, name: str, image: WantedImage) -> Version:
    """The version that the file names now; nothing where the key is missing."""
    file = YamlText(data, name)
    key = assigning.helm(image, Version("-"), values=True)[-1].name
    text = str(getattr(find(file.root, resolved(file, key)), "value", "") or "")
    return assigning.version_of(text, image.image)
