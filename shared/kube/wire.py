"""The bytes that the API server sends, as msgspec shapes: lists, watch lines, discovery.

In: bytes. Out: structs whose `Raw` parts still are bytes; a list of 5,000 objects is cut without being parsed.
Field names are those on the wire. Never: what an object means.
"""

# ruff: noqa: N815

import msgspec


class ItemMeta(msgspec.Struct):
    name: str = ""
    namespace: str = ""
    resourceVersion: str = ""
    uid: str = ""


class Head(msgspec.Struct):
    """The little of an object that the informer itself looks at."""

    metadata: ItemMeta
    kind: str = ""


class ListMeta(msgspec.Struct):
    resourceVersion: str = ""
    token: str = msgspec.field(name="continue", default="")


class Page(msgspec.Struct):
    metadata: ListMeta
    items: list[msgspec.Raw] | None = None


class Line(msgspec.Struct):
    """One line of a watch."""

    type: str
    object: msgspec.Raw


class GroupVersionKind(msgspec.Struct):
    kind: str = ""


class Subresource(msgspec.Struct):
    subresource: str


class DiscoveredResource(msgspec.Struct):
    resource: str
    scope: str = ""
    responseKind: GroupVersionKind | None = None
    verbs: list[str] = []
    subresources: list[Subresource] = []


class DiscoveredVersion(msgspec.Struct):
    version: str
    resources: list[DiscoveredResource] = []
    freshness: str = "Current"


class DiscoveredGroup(msgspec.Struct):
    metadata: ItemMeta = msgspec.field(default_factory=ItemMeta)
    versions: list[DiscoveredVersion] = []


class DiscoveryList(msgspec.Struct):
    kind: str = ""
    items: list[DiscoveredGroup] = []


class PlainVersions(msgspec.Struct):
    versions: list[str] = []


class PlainVersion(msgspec.Struct):
    version: str = ""
    groupVersion: str = ""


class PlainGroup(msgspec.Struct):
    name: str
    versions: list[PlainVersion] = []
    preferredVersion: PlainVersion = msgspec.field(default_factory=PlainVersion)


class PlainGroups(msgspec.Struct):
    groups: list[PlainGroup] = []


class PlainResource(msgspec.Struct):
    name: str
    kind: str = ""
    namespaced: bool = False
    verbs: list[str] = []


class PlainResources(msgspec.Struct):
    resources: list[PlainResource] = []


HEAD = msgspec.json.Decoder(Head)
PAGE = msgspec.json.Decoder(Page)
LINE = msgspec.json.Decoder(Line)
DISCOVERY = msgspec.json.Decoder(DiscoveryList)
VERSIONS = msgspec.json.Decoder(PlainVersions)
GROUPS = msgspec.json.Decoder(PlainGroups)
RESOURCES = msgspec.json.Decoder(PlainResources)
