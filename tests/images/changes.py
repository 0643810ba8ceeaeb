"""Changes as tests make them, and a commit's files without git."""

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from services.image_updater.changing import Change
from services.image_updater.keys import AppKey, ImageKey, Version
from services.image_updater.placing import Branches, Kind, Place
from services.image_updater.policy import HelmKeys, Keys, Policy, WantedImage
from shared.git.errors import PathEscape
from shared.oci.reference import image_of

DIGEST = "sha256:" + "ab" * 32


class Files:
    """What building reads of a commit."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self.files = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}

    def read(self, path: str, *, limit: int | None = None) -> bytes | None:
        return self.files.get(path)

    def paths_of(self, path: str) -> tuple[str, ...]:
        normal = posixpath.normpath(path)
        if normal.startswith("../"):
            raise PathEscape(f"{path} leads out of the repository")
        return (normal,)

    def walk(self, prefix: str = "", *, limit: int = 0) -> Iterator[str]:
        yield from sorted(path for path in self.files if path.startswith(prefix))


def wanted(name: str = "ghcr.io/acme/web", alias: str = "web", keys: Keys | None = None, **policy: Any) -> WantedImage:
    return WantedImage(alias, name, str(image_of(name).repository), Policy(**policy), keys=keys)


def place(kind: Kind = Kind.VALUES, path: str = "values.yaml", source_type: str = "Helm", **more: Any) -> Place:
    given = {"url": "https://git.example.org/apps.git", "project": "default", "branches": Branches("main", "")}
    return Place(**{**given, **more}, kind=kind, path=path, source_type=source_type)


def change(
    image: WantedImage | None = None, to: Place | None = None, tag: str = "1.1", digest: str = "", app: str = "web"
) -> Change:
    image = image or wanted(keys=HelmKeys("image.repository", "image.tag"))
    key = ImageKey(AppKey("argocd", app), image.alias)
    delivery = f"image:{'0' * 8}:{'a' * 64}"
    return Change(key, image, Version("1.0"), Version(tag, digest), to or place(), "argocd", delivery)
