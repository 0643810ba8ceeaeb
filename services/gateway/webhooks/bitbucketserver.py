"""Bitbucket Server and Data Center: event `repo:refs_changed`, signed with HMAC sha256 in `X-Hub-Signature`."""

from pydantic import Field

from services.gateway.webhooks.payload import Headers, Ignored, Payload, commit, delivery, moment, read, urls
from shared.events import GitHook

EVENT = "x-event-key"


class Ref(Payload):
    id: str = Field(min_length=1)


class Change(Payload):
    ref: Ref
    from_hash: str | None = Field(default=None, alias="fromHash")
    to_hash: str | None = Field(default=None, alias="toHash")


class Link(Payload):
    href: str | None = None


class Links(Payload):
    clone: list[Link] | None = None
    self_pages: list[Link] | None = Field(default=None, alias="self")


class Repository(Payload):
    links: Links


class Push(Payload):
    date: str | None = None
    repository: Repository
    changes: list[Change]


def parse(headers: Headers, body: bytes) -> tuple[GitHook, ...] | Ignored:
    if (event := headers.get(EVENT, "")) != "repo:refs_changed":
        return Ignored(f"event {event!r}")
    push = read(Push, headers, body)
    links = push.repository.links
    repo_urls = urls(*(link.href for link in [*(links.clone or []), *(links.self_pages or [])]))
    given = delivery(headers, ("x-request-id",), body)
    hooks = tuple(_hook(change, given, repo_urls, push.date) for change in push.changes)
    return hooks or Ignored("a push without moved refs")


def _hook(change: Change, given: str, repo_urls: tuple[str, ...], date: str | None) -> GitHook:
    return GitHook(
        provider="bitbucketserver",
        delivery=given,
        repo_urls=repo_urls,
        ref=change.ref.id,
        before=commit(change.from_hash),
        after=commit(change.to_hash),
        pushed_at=moment(date),
    )
