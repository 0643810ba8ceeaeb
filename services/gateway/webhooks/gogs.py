"""Gogs and Gitea (Forgejo): event `push`, signed with HMAC sha256 in `X-Gogs-Signature` or `X-Gitea-Signature`.

Gitea sends GitHub's and Gogs' headers beside its own, so it must be recognised before them.
"""

from pydantic import Field

from services.gateway.webhooks.payload import (
    Commit,
    Headers,
    Ignored,
    Payload,
    changed_paths,
    commit,
    delivery,
    moment,
    read,
    urls,
)
from shared.events import GitHook


class Repository(Payload):
    clone_url: str | None = None
    ssh_url: str | None = None
    html_url: str | None = None


class Push(Payload):
    ref: str = Field(min_length=1)
    before: str | None = None
    after: str | None = None
    repository: Repository
    commits: list[Commit] | None = None
    total_commits: int | None = None


def parse_gogs(headers: Headers, body: bytes) -> tuple[GitHook, ...] | Ignored:
    return _parse("gogs", headers, body)


def parse_gitea(headers: Headers, body: bytes) -> tuple[GitHook, ...] | Ignored:
    return _parse("gitea", headers, body)


def _parse(provider: str, headers: Headers, body: bytes) -> tuple[GitHook, ...] | Ignored:
    if (event := headers.get(f"x-{provider}-event", "")) != "push":
        return Ignored(f"event {event!r}")
    push = read(Push, headers, body)
    repository = push.repository
    hook = GitHook(
        provider=provider,
        delivery=delivery(headers, (f"x-{provider}-delivery",), body),
        repo_urls=urls(repository.clone_url, repository.ssh_url, repository.html_url),
        ref=push.ref,
        before=commit(push.before),
        after=commit(push.after),
        changed=_changed(push),
        pushed_at=moment(push.commits[0].timestamp if push.commits else None),
    )
    return (hook,)


def _changed(push: Push) -> tuple[str, ...] | None:
    """Gogs tells no total; both list no files at all in some versions, which is unknown, not unchanged."""
    listed = push.commits or []
    total = len(listed) if push.total_commits is None else push.total_commits
    with_files = all(item.added or item.removed or item.modified for item in listed)
    if commit(push.before) is None or not listed or total != len(listed) or not with_files:
        return None
    return changed_paths(listed)
