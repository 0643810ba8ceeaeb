"""What a new version means to each tool: Helm parameters, Kustomize images, variables of a plugin. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from services.image_updater.keys import Version
from services.image_updater.policy import HelmKeys, KustomizeName, PluginKeys, WantedImage
from shared.oci.errors import UnsupportedAddress
from shared.oci.reference import image_of

DEFAULT_NAME, DEFAULT_TAG = "image.name", "image.tag"


class Assigned(NamedTuple):
    """A parameter, a key of a values file or a variable, with its value. `optional`: only where it is there already."""

    name: str
    value: str
    optional: bool = False


def helm(image: WantedImage, version: Version, *, values: bool = False) -> list[Assigned]:
    """`values`: for a values file, where nobody wants a name that was not asked for."""
    keys = image.keys if isinstance(image.keys, HelmKeys) else HelmKeys()
    if keys.spec:
        return [Assigned(keys.spec, image.written + version.suffix)]
    named = Assigned(keys.name or DEFAULT_NAME, image.written, optional=values and not keys.name)
    return [named, Assigned(keys.tag or DEFAULT_TAG, str(version))]


def plugin(image: WantedImage, version: Version) -> list[Assigned]:
    keys = image.keys if isinstance(image.keys, PluginKeys) else PluginKeys()
    if keys.spec:
        return [Assigned(keys.spec, image.written + version.suffix)]
    pairs = ((keys.name, image.written), (keys.tag, str(version)))
    return [Assigned(name, value) for name, value in pairs if name]


def kustomize_name(image: WantedImage) -> str:
    """The name in the manifests."""
    return (image.keys.name if isinstance(image.keys, KustomizeName) else "") or image.written


def kustomize(image: WantedImage, version: Version) -> str:
    """An entry of `kustomize.images`: `[name=]new:tag`."""
    name = kustomize_name(image)
    return f"{'' if name == image.written else f'{name}='}{image.written}{version.suffix}"


def entry_name(entry: str) -> str:
    """The name in the manifests that an entry of `kustomize.images` is about."""
    name, equals, rest = entry.partition("=")
    if equals:
        return name
    rest = name.partition("@")[0]
    slash = rest.rfind("/")
    return rest[: slash + 1] + rest[slash + 1 :].partition(":")[0]


def with_image(entries: Sequence[str], image: WantedImage, version: Version) -> list[str]:
    """`kustomize.images` with this image; the others keep their places."""
    name, new = kustomize_name(image), kustomize(image, version)
    if any(entry_name(entry) == name for entry in entries):
        return [new if entry_name(entry) == name else entry for entry in entries]
    return [*entries, new]


def same_image(text: str, image: str) -> bool:
    """Whether a name, however it is written, is this repository."""
    try:
        return str(image_of(text).repository) == image
    except UnsupportedAddress:
        return False


def version_of(text: str, image: str) -> Version:
    """Read a value that a file has: `1.2`, `1.2@sha256:...`, `sha256:...`, or the image with one of these."""
    if not text:
        return Version()
    if "/" in text or same_image(text.partition(":")[0], image):
        try:
            found = image_of(text)
        except UnsupportedAddress:
            return Version(text)
        if str(found.repository) == image and (found.tag or found.digest):
            return Version(found.tag, found.digest)
    tag, _, digest = text.partition("@")
    return Version("", text) if text.startswith("sha256:") else Version(tag, digest)


def slot(image: WantedImage, source_type: str) -> str:
    """Where the version goes; two images of one Application can't share it."""
    if source_type == "Kustomize":
        return f"the image {kustomize_name(image)}"
    assigned = plugin(image, Version("-")) if source_type == "Plugin" else helm(image, Version("-"))
    return assigned[-1].name if assigned else ""
