"""The words the services speak: one frozen model per event and per request.

Data only: no I/O, no NATS. `shared.bus` carries them; `docs/asyncapi.yaml` is generated from them.
"""

from shared.events.app import AppEvent, ResourceRef, What
from shared.events.git import GitFailed, GitHook, GitRevision, git_delivery
from shared.events.message import Event, Message, Moment, digest_of, token, untoken
from shared.events.requests import (
    REQUESTS,
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

EVENTS: tuple[type[Event], ...] = (GitHook, GitRevision, GitFailed, AppEvent)

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
    "ListRefs",
    "Message",
    "Moment",
    "Refs",
    "RenderReply",
    "RenderRequest",
    "RenderSource",
    "RenderedSource",
    "RequestError",
    "RequestFailed",
    "ResolveChart",
    "ResolveRevision",
    "ResolvedChart",
    "ResolvedRevision",
    "ResourceRef",
    "RevisionMetadata",
    "What",
    "digest_of",
    "git_delivery",
    "token",
    "untoken",
]
