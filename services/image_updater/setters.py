"""Setter comments as Flux has them, in any YAML: `image: nginx:1.0 # {"$imagepolicy": "namespace:alias"}`. Pure.

The policy is the rule's namespace and the image's alias; `:name`, `:tag` or `:digest` behind it choose a part.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import yaml

from services.image_updater import assigning
from services.image_updater.keys import Version
from services.image_updater.policy import WantedImage
from shared.yamlio.edit import YamlText

MARK = b"$imagepolicy"
_COMMENT = re.compile(r'[ \t]*#[ \t]*\{[ \t]*"\$imagepolicy"[ \t]*:[ \t]*"([^"]*)"[ \t]*\}[ \t]*(?:\r?\n|$)')


class Marked(NamedTuple):
    """A value with a setter; `part` empty: the whole image."""

    node: yaml.ScalarNode
    part: str


def is_candidate(path: str) -> bool:
    return path.endswith((".yaml", ".yml"))


def marked(file: YamlText, policy: str) -> list[Marked]:
    """The values of a file that follow this policy."""
    found = list[Marked]()
    for root in file.roots:
        for node in _scalars(root):
            comment = _COMMENT.match(file.text, node.end_mark.index)
            name, _, part = _split(comment[1]) if comment else ("", "", "")
            if comment and name == policy:
                found.append(Marked(node, part))
    return found


def _split(text: str) -> tuple[str, str, str]:
    namespace, _, rest = text.partition(":")
    alias, colon, part = rest.partition(":")
    return f"{namespace}:{alias}", colon, part


def _scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Values, not keys; without recursion, and each only once although aliases repeat it."""
    pending, seen = [node], set[int]()
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, yaml.ScalarNode):
            yield one
        else:
            pending += [value for _, value in one.value] if isinstance(one, yaml.MappingNode) else one.value


def text_of(part: str, image: WantedImage, version: Version, before: str) -> str:
    if part == "name":
        return before if assigning.same_image(before, image.image) else image.written
    if part == "tag":
        return str(version) if not version.digest or "@" in before else version.tag
    return version.digest if part == "digest" else image.written + version.suffix


def edited(data: bytes, name: str, policy: str, image: WantedImage, version: Version) -> bytes:
    file = YamlText(data, name)
    edits = [
        file.replacement(one.node, new)
        for one in marked(file, policy)
        if (new := text_of(one.part, image, version, one.node.value)) and new != one.node.value
    ]
    return file.edited(edits) if edits else data


def current(data: bytes, name: str, policy: str, image: WantedImage) -> Version:
    for one in marked(YamlText(data, name), policy):
        if one.part in ("", "tag"):
            return assigning.version_of(one.node.value, image.image)
    return Version()
