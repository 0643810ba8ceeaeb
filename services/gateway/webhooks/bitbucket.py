"""Bitbucket Cloud: event `repo:push` with any number of moved refs; the hook's UUID is the only secret there is."""

from typing import Literal

from pydantic import Field

from services.gateway.webhooks.payload import Headers, Ignored, Payload, commit, delivery, moment, read, urls
from shared.events import GitHook

EVENT = "x-event-key"
FOLDERS = {"branch": "refs/heads/", "named_branch": "refs/heads/", "bookmark": "refs/heads/"}
TAGS = ("tag", "annotated_tag")


class Target(Payload):
    hash: str | None = None
    date: str | None = None


class Side(Payload):
    type: Literal["branch", "named_branch", "bookmark", "tag", "annotated_tag"]
    name: str = Field(min_length=1)
    target: Target | None = None


class Change(Payload):
    old: Side | None = None
    new: Side | None = None


class Changes(Payload):
    changes: list[Change]


class Link(Payload):
    href: str | None = None


class Links(Payload):
    html: Link | None = None


class Repository(Payload):
    full_name: str | None = None
    links: Links | None = None


class Push(Payload):
    push: Changes
    repository: Repository


def parse(headers: Headers, body: bytes) -> tuple[GitHook, ...] | Ignored:
    if (event := headers.get(EVENT, "")) != "repo:push":
        return Ignored(f"event {event!r}")
    push = read(Push, headers, body)
    repo_urls = _urls(push.repository)
    given = delivery(headers, ("x-request-uuid",), body)
    hooks = tuple(hook for change in push.push.changes if (hook := _hook(change, given, repo_urls)))
    return hooks or Ignored("a push without moved refs")


def _urls(repository: Repository) -> tuple[str, ...]:
    name = (repository.full_name or "").strip("/")
    page = repository.links.html.href if repository.links and repository.links.html else None
    clones = (f"https://bitbucket.org/{name}.git", f"git@bitbucket.org:{name}.git") if name else ()
    return urls(page, *clones)


def _hook(change: Change, given: str, repo_urls: tuple[str, ...]) -> GitHook | None:
    side = change.new or change.old
    if side is None:
        return None
    folder = "refs/tags/" if side.type in TAGS else FOLDERS[side.type]
    return GitHook(
        provider="bitbucket",
        delivery=given,
        repo_urls=repo_urls,
        ref=folder + side.name,
        before=commit(change.old.target.hash if change.old and change.old.target else None),
        after=commit(change.new.target.hash if change.new and change.new.target else None),
        pushed_at=moment(change.new.target.date if change.new and change.new.target else None),
    )
