"""What of an Application matters to its images: names, annotations, sources, the images that run. No more is kept.

In: the object's bytes from the watch. Out: an `AppView`; equal views mean that nothing happened for us.
"""

from typing import Any

import msgspec

from services.image_updater.keys import AppKey, Version
from shared.kinds.source import Source
from shared.kinds.wire import without_nulls
from shared.oci.errors import UnsupportedAddress
from shared.oci.reference import image_of

Obj = dict[str, Any]


class Metadata(msgspec.Struct, frozen=True):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    deletionTimestamp: str | None = None  # noqa: N815 - as it is on the wire


class Spec(msgspec.Struct, frozen=True):
    project: str = ""
    source: Obj | None = None
    sources: list[Obj] | None = None
    sourceHydrator: Obj | None = None  # noqa: N815


class Summary(msgspec.Struct, frozen=True):
    images: list[str] = []


class Status(msgspec.Struct, frozen=True):
    summary: Summary | None = None
    sourceType: str = ""  # noqa: N815
    sourceTypes: list[str] | None = None  # noqa: N815


class AppView(msgspec.Struct, frozen=True):
    metadata: Metadata
    spec: Spec = Spec()
    status: Status | None = None

    @property
    def key(self) -> AppKey:
        return AppKey(self.metadata.namespace, self.metadata.name)

    @property
    def annotations(self) -> dict[str, str]:
        return self.metadata.annotations

    @property
    def project(self) -> str:
        return self.spec.project or "default"

    @property
    def images(self) -> list[str]:
        return self.status.summary.images if self.status and self.status.summary else []

    def sources(self) -> list[Source]:
        found = self.spec.sources or ([self.spec.source] if self.spec.source else [])
        return [Source.parse(without_nulls(one)) for one in found]

    def source_types(self) -> list[str]:
        """What was found at the last comparison, in the order of the sources."""
        if self.status is None:
            return []
        return self.status.sourceTypes or ([self.status.sourceType] if self.status.sourceType else [])

    def reference(self) -> Obj:
        """What Kubernetes Events need to know of the object."""
        meta = {"name": self.metadata.name, "namespace": self.metadata.namespace, "uid": self.metadata.uid}
        return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta}


_decoder = msgspec.json.Decoder(AppView)


def decode(raw: bytes) -> AppView:
    return _decoder.decode(raw)


def live_versions(view: AppView, image: str) -> list[Version]:
    """The versions of an image that the Application's manifests name now, by the registry's full name."""
    found = list[Version]()
    for text in view.images:
        try:
            reference = image_of(text)
        except UnsupportedAddress:
            continue
        if str(reference.repository) == image:
            found.append(Version(reference.tag or ("" if reference.digest else "latest"), reference.digest))
    return found
