"""GitLab: `Push Hook`, `Tag Push Hook` and their system hooks; the secret comes as it is in `X-Gitlab-Token`."""

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

EVENT = "x-gitlab-event"
EVENTS = ("Push Hook", "Tag Push Hook", "System Hook")
KINDS = ("push", "tag_push")


class Project(Payload):
    git_http_url: str | None = None
    git_ssh_url: str | None = None
    web_url: str | None = None


class Kind(Payload):
    object_kind: str | None = None
    event_name: str | None = None


class Push(Payload):
    ref: str = Field(min_length=1)
    before: str | None = None
    after: str | None = None
    project: Project
    commits: list[Commit] | None = None
    total_commits_count: int | None = None


def parse(headers: Headers, body: bytes) -> tuple[GitHook, ...] | Ignored:
    if (event := headers.get(EVENT, "")) not in EVENTS:
        return Ignored(f"event {event!r}")
    kind = read(Kind, headers, body)
    if (name := kind.object_kind or kind.event_name) not in KINDS:
        return Ignored(f"event {event!r} of kind {name!r}") if name else _push(headers, body)
    return _push(headers, body)


def _push(headers: Headers, body: bytes) -> tuple[GitHook, ...]:
    push = read(Push, headers, body)
    hook = GitHook(
        provider="gitlab",
        delivery=delivery(headers, ("idempotency-key", "x-gitlab-event-uuid"), body),
        repo_urls=urls(push.project.git_http_url, push.project.git_ssh_url, push.project.web_url),
        ref=push.ref,
        before=commit(push.before),
        after=commit(push.after),
        changed=_changed(push),
        pushed_at=moment(push.commits[-1].timestamp if push.commits else None),
    )
    return (hook,)


def _changed(push: Push) -> tuple[str, ...] | None:
    """GitLab lists twenty commits at most and says how many there are."""
    if commit(push.before) is None or not push.commits or push.total_commits_count != len(push.commits):
        return None
    return changed_paths(push.commits)
