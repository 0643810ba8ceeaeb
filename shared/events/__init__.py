"""The words the services speak: one frozen model per event and per request.

Data only: no I/O, no NATS. `shared.bus` carries them; `docs/asyncapi.yaml` is generated from them.
"""

from shared.events.app import AppEvent, ResourceRef, What
from shared.events.git import GitFailed, GitHook, GitRevision, git_delivery
from shared.events.image import ImagePushed, ImageUpdated, RegistryHook, image_delivery
from shared.events.message import Event, Message, Moment, digest_of, token, untoken
from shared.events.registry import (
    QUESTIONS,
    ListTags,
    PlatformImage,
    ResolveTag,
    Tag,
    TagDigest,
    TagList,
    Verification,
    VerifyImage,
    WatchedImage,
    WatchImages,
    Watching,
)
from shared.events.requests import (
    GENERAL,
    Asks,
    ChangedPaths,
    Changes,
    CommitMetadata,
    ListRefs,
    Refs,
    RenderedSource,
    RenderReply,
    RenderRequest,
    RenderSource,
    RequestError,
    RequestFailed,
    ResolveChart,
    ResolvedChart,
    ResolvedRevision,
    ResolveRevision,
    RevisionMetadata,
)

EVENTS: tuple[type[Event], ...] = (
    GitHook,
    GitRevision,
    GitFailed,
    AppEvent,
    RegistryHook,
    ImagePushed,
    ImageUpdated,
)
REQUESTS: tuple[type[Message], ...] = (*GENERAL, *QUESTIONS)

__all__ = [
    "EVENTS",
    "REQUESTS",
    "AppEvent",
    "Asks",
    "ChangedPaths",
    "Changes",
    "CommitMetadata",
    "Event",
    "GitFailed",
    "GitHook",
    "GitRevision",
    "ImagePushed",
    "ImageUpdated",
    "ListRefs",
    "ListTags",
    "Message",
    "Moment",
    "PlatformImage",
    "Refs",
    "RegistryHook",
    "RenderReply",
    "RenderRequest",
    "RenderSource",
    "RenderedSource",
    "RequestError",
    "RequestFailed",
    "ResolveChart",
    "ResolveRevision",
    "ResolveTag",
    "ResolvedChart",
    "ResolvedRevision",
    "ResourceRef",
    "RevisionMetadata",
    "Tag",
    "TagDigest",
    "TagList",
    "Verification",
    "VerifyImage",
    "WatchImages",
    "WatchedImage",
    "Watching",
    "What",
    "digest_of",
    "git_delivery",
    "image_delivery",
    "token",
    "untoken",
]
