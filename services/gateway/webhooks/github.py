"""GitHub, and what speaks like it: event `push`, signed with HMAC in `X-Hub-Signature-256` (older servers: sha1)."""

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

EVENT = "x-github-event"
MOST_COMMITS = 2048  # GitHub lists no more; then the changed paths are not all there


class Repository(Payload):
    clone_url: str | None = None
    ssh_url: str | None = None
    html_url: str | None = None
    git_url: str | None = None


class Push(Payload):
    ref: str = Field(min_length=1)
    before: str | None = None
    after: str | None = None
    forced: bool | None = None
    repository: Repository
    commits: list[Commit] | None = None
    head_commit: Commit | None = None


def parse(headers: Headers, body: bytes) -> tuple[GitHook, ...] | Ignored:
    if (event := headers.get(EVENT, "")) != "push":
        return Ignored(f"event {event!r}")
    push = read(Push, headers, body)
    repository = push.repository
    hook = GitHook(
        provider="github",
        delivery=delivery(headers, ("x-github-delivery",), body),
        repo_urls=urls(repository.clone_url, repository.ssh_url, repository.html_url, repository.git_url),
        ref=push.ref,
        before=commit(push.before),
        after=commit(push.after),
        changed=_changed(push),
        pushed_at=moment(push.head_commit.timestamp if push.head_commit else None),
    )
    return (hook,)


def _changed(push: Push) -> tuple[str, ...] | None:
    """Known only when every commit between before and after is listed and nothing was taken back."""
    if push.forced or commit(push.before) is None or not push.commits or len(push.commits) >= MOST_COMMITS:
        return None
    return changed_paths(push.commits)
