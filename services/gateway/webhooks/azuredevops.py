"""Azure DevOps: event `git.push`, authorised with a user name and a password of the service hook."""

from pydantic import Field

from services.gateway.webhooks.payload import Headers, Ignored, Payload, commit, delivery, moment, read, urls
from shared.events import GitHook


class Kind(Payload):
    event_type: str = Field(alias="eventType")


class Update(Payload):
    name: str = Field(min_length=1)
    old: str | None = Field(default=None, alias="oldObjectId")
    new: str | None = Field(default=None, alias="newObjectId")


class Repository(Payload):
    remote_url: str | None = Field(default=None, alias="remoteUrl")
    ssh_url: str | None = Field(default=None, alias="sshUrl")
    web_url: str | None = Field(default=None, alias="webUrl")


class Resource(Payload):
    updates: list[Update] = Field(alias="refUpdates")
    repository: Repository
    date: str | None = None


class Push(Payload):
    id: str | None = None
    resource: Resource


def parse(headers: Headers, body: bytes) -> tuple[GitHook, ...] | Ignored:
    if (event := read(Kind, headers, body).event_type) != "git.push":
        return Ignored(f"event {event!r}")
    push = read(Push, headers, body)
    repository = push.resource.repository
    repo_urls = urls(repository.remote_url, repository.ssh_url, repository.web_url)
    given = (push.id or "").strip()[:200] or delivery(headers, ("x-vss-activityid",), body)
    hooks = tuple(_hook(update, given, repo_urls, push.resource.date) for update in push.resource.updates)
    return hooks or Ignored("a push without moved refs")


def _hook(update: Update, given: str, repo_urls: tuple[str, ...], date: str | None) -> GitHook:
    return GitHook(
        provider="azuredevops",
        delivery=given,
        repo_urls=repo_urls,
        ref=update.name,
        before=commit(update.old),
        after=commit(update.new),
        pushed_at=moment(date),
    )
