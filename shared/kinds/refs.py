"""How objects are named: group and kind, and with namespace and name one object in one cluster."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self

Obj = dict[str, Any]


def split_api_version(api_version: str) -> tuple[str, str]:
    """Give group and version: `apps/v1` is ("apps", "v1"), `v1` is ("", "v1")."""
    group, _, version = api_version.rpartition("/")
    return group, version


class GroupKind(NamedTuple):
    group: str
    kind: str

    @classmethod
    def of(cls, obj: Mapping[str, Any]) -> Self:
        return cls(split_api_version(str(obj.get("apiVersion") or ""))[0], str(obj.get("kind") or ""))

    def __str__(self) -> str:
        return f"{self.group}/{self.kind}"


class GVK(NamedTuple):
    group: str
    version: str
    kind: str

    @classmethod
    def parse(cls, api_version: str, kind: str) -> Self:
        return cls(*split_api_version(api_version), kind)

    @classmethod
    def of(cls, obj: Mapping[str, Any]) -> Self:
        return cls.parse(str(obj.get("apiVersion") or ""), str(obj.get("kind") or ""))

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_kind(self) -> GroupKind:
        return GroupKind(self.group, self.kind)


class ResourceKey(NamedTuple):
    """One object; `namespace` is empty for cluster-scoped kinds."""

    group: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, obj: Mapping[str, Any]) -> Self:
        metadata = obj.get("metadata") or {}
        group, kind = GroupKind.of(obj)
        return cls(group, kind, str(metadata.get("namespace") or ""), str(metadata.get("name") or ""))

    @property
    def group_kind(self) -> GroupKind:
        return GroupKind(self.group, self.kind)

    def __str__(self) -> str:
        return f"{self.group}/{self.kind}/{self.namespace}/{self.name}"


class OwnerReference(NamedTuple):
    group: str
    version: str
    kind: str
    name: str
    uid: str
    controller: bool


def owners(obj: Mapping[str, Any]) -> Iterator[OwnerReference]:
    """Give the owner references that name a kind and a uid."""
    for one in (obj.get("metadata") or {}).get("ownerReferences") or ():
        group, version = split_api_version(str(one.get("apiVersion") or ""))
        if one.get("kind") and one.get("uid"):
            yield OwnerReference(
                group, version, one["kind"], str(one.get("name") or ""), one["uid"], one.get("controller") is True
            )
