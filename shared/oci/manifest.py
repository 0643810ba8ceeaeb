"""What manifests, indexes and image configs say, read from their JSON. Pure; whatever shape it has, the answer is a
value or `Malformed`.

Attestations that build tools put beside the images (platform unknown/unknown) are no images and left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from shared.clock import parse_rfc3339
from shared.oci.errors import Malformed, TooLarge
from shared.oci.reference import is_digest

IMAGE_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = (*IMAGE_TYPES, *INDEX_TYPES)
CREATED = "org.opencontainers.image.created"
LABELS = "org.opencontainers.image."
MOST_CHILDREN = 1000
MOST_LABELS, LONGEST_LABEL = 30, 1000


class Layer(NamedTuple):
    """One blob that a manifest names."""

    digest: str
    media_type: str
    size: int
    title: str = ""
    annotations: Mapping[str, str] = {}


class Platform(NamedTuple):
    """Where an image runs; parts that are not said are empty."""

    os: str = ""
    architecture: str = ""
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in self if part)

    def fits(self, wanted: "Platform") -> bool:
        """Whether an image for this platform runs where `wanted` says; a variant that isn't asked for is no matter."""
        same = (self.os, self.architecture) == (wanted.os, wanted.architecture)
        return same and (not wanted.variant or _variant(self) == _variant(wanted))


def _variant(platform: Platform) -> str:
    """Each 64-bit ARM is a v8, whether it says so or not."""
    return platform.variant or ("v8" if platform.architecture == "arm64" else "")


def platform_of(text: str) -> Platform | None:
    """`os/arch[/variant]`; None for what is no platform."""
    parts = text.strip().lower().split("/")
    return Platform(*parts) if 2 <= len(parts) <= 3 and all(parts) else None


class Child(NamedTuple):
    """One image of an index."""

    digest: str
    platform: Platform
    created: datetime | None = None
    artifact_type: str = ""


class ImageConfig(NamedTuple):
    platform: Platform
    created: datetime | None
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest, its digest verified against its bytes."""

    digest: str
    media_type: str
    document: Mapping[str, Any]

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEX_TYPES

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(_layer(item) for item in _list(self.document, "layers"))

    @property
    def config_type(self) -> str:
        return str(_map(self.document, "config").get("mediaType", ""))

    @property
    def config_digest(self) -> str:
        digest = _map(self.document, "config").get("digest")
        if not isinstance(digest, str) or not is_digest(digest):
            raise Malformed("a manifest names no config by its sha256 digest")
        return digest

    @property
    def artifact_type(self) -> str:
        return str(self.document.get("artifactType") or self.config_type)

    @property
    def created(self) -> datetime | None:
        return created_of(_map(self.document, "annotations"))

    @property
    def children(self) -> tuple[Child, ...]:
        """The manifests of an index, attestations and nested indexes left out."""
        items = _list(self.document, "manifests")
        if len(items) > MOST_CHILDREN:
            raise TooLarge(f"an index of {len(items):,} images: allowed are {MOST_CHILDREN:,}")
        return tuple(child for item in items if (child := _child(item)) is not None)


def checked_shape(manifest: Manifest) -> Manifest:
    """One thing or the other: what could be read as an image and as an index is neither (CVE-2021-41190)."""
    said = manifest.document.get("mediaType")
    if manifest.media_type in MANIFEST_TYPES and said not in (None, "", manifest.media_type):
        raise Malformed(f"a manifest is sent as {manifest.media_type} but calls itself {str(said)[:100]!r}")
    has_images, has_layers = "manifests" in manifest.document, "layers" in manifest.document
    if has_images and has_layers:
        raise Malformed("a manifest has both layers and manifests")
    if manifest.is_index and not has_images:
        raise Malformed("an index without manifests")
    return manifest


def read_config(document: Mapping[str, Any]) -> ImageConfig:
    """An image's config: what it runs on, when it was made, its OCI labels."""
    platform = Platform(*(_text(document, name) for name in ("os", "architecture", "variant")))
    labels = _map(_map(document, "config"), "Labels")
    kept = sorted((name, value) for name, value in labels.items() if name.startswith(LABELS) and isinstance(value, str))
    return ImageConfig(
        platform,
        moment(document.get("created")),
        {name[:LONGEST_LABEL]: value[:LONGEST_LABEL] for name, value in kept[:MOST_LABELS]},
    )


def created_of(annotations: Mapping[str, Any]) -> datetime | None:
    return moment(annotations.get(CREATED))


def moment(text: Any) -> datetime | None:
    """A time that can't be read is unknown; what somebody wrote there stops nothing."""
    try:
        return parse_rfc3339(text) if isinstance(text, str) and len(text) <= 64 else None
    except (ValueError, OverflowError):
        return None


def _child(item: Any) -> Child | None:
    if not isinstance(item, dict) or not is_digest(str(item.get("digest"))):
        raise Malformed("an index names an image without its sha256 digest")
    given = _map(item, "platform")
    platform = Platform(*(_text(given, name).lower() for name in ("os", "architecture", "variant")))
    if item.get("mediaType") in INDEX_TYPES or "unknown" in (platform.os, platform.architecture):
        return None
    return Child(item["digest"], platform, created_of(_map(item, "annotations")), _text(item, "artifactType"))


def _layer(item: Any) -> Layer:
    if not isinstance(item, dict) or not isinstance(item.get("size"), int):
        raise Malformed("a manifest names a layer without a size")
    annotations = {str(name): str(value) for name, value in _map(item, "annotations").items()}
    title = annotations.get("org.opencontainers.image.title", "")
    return Layer(str(item.get("digest", "")), str(item.get("mediaType", "")), item["size"], title, annotations)


def _map(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{name} is no object")
    return value


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed(f"{name} is no list")
    return value


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value[:LONGEST_LABEL] if isinstance(value, str) else ""
