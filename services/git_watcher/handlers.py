"""What happens when something is heard: a webhook, a commit of image_updater. Load, decide, act, report."""

from collections.abc import Callable, Iterable

from services.git_watcher import measures
from services.git_watcher.repositories import Repositories
from services.git_watcher.repository import Look, Repository
from shared.events import GitHook, ImageUpdated
from shared.git.errors import GitFailure
from shared.git.revisions import HEADS, TAGS
from shared.telemetry import get_logger

log = get_logger()
SECOND_LOOK_SECONDS = 2.0


async def on_hook(hook: GitHook, repositories: Repositories, again: Callable[[str, float], None]) -> None:
    """One look for each repository that it may mean. A failure that may pass is raised: the bus tries again."""
    meant = repositories.meant_by(hook.repo_urls)
    if not meant:
        measures.hooks.labels("unknown-repository").inc()
        log.debug("webhook for a repository that nobody uses", provider=hook.provider)
    for repository in meant:
        await _follow(hook, repository, repositories.usage.targets(repository.name), again)


async def on_written(event: ImageUpdated, repositories: Repositories, again: Callable[[str, float], None]) -> None:
    """Who has written to a branch knows that it moved: the host's webhook need not arrive."""
    if not event.commit:
        return
    url, ref = f"https://{event.repo}", HEADS + event.branch
    hook = GitHook(provider="tiphys", delivery=event.delivery, repo_urls=(url,), ref=ref, after=event.commit)
    await on_hook(hook, repositories, again)


async def _follow(
    hook: GitHook, repository: Repository, targets: Iterable[str], again: Callable[[str, float], None]
) -> None:
    if not concerns(hook, repository, targets):
        measures.hooks.labels("unused-ref").inc()
        return
    if is_news(hook, repository):
        if repository.failure is not None and not repository.failure.retriable:
            repository.release()  # somebody has acted: a repository that is gone or locked sends no webhooks
        try:
            await repository.look(Look("webhook", at=hook.at, delivery=hook.delivery))
        except GitFailure as failure:
            measures.hooks.labels("failed").inc()
            if failure.retriable:
                raise
            return  # somebody has to act; the poll will see when it is done
    measures.hooks.labels("followed").inc()
    if is_early(hook, repository):
        again(repository.name, SECOND_LOOK_SECONDS)


def concerns(hook: GitHook, repository: Repository, targets: Iterable[str]) -> bool:
    """Tags always (version ranges look at them all), branches when they are in use or an Application waits for one."""
    if hook.ref.startswith(TAGS) or repository.known is None or hook.ref in repository.known.tracked:
        return True
    return hook.ref in targets or hook.ref.removeprefix(HEADS) in targets


def is_news(hook: GitHook, repository: Repository) -> bool:
    """False when exactly this was announced already, as for the second webhook of one push."""
    known = repository.known
    return known is None or hook.after is None or known.refs.get(hook.ref) != hook.after


def is_early(hook: GitHook, repository: Repository) -> bool:
    """The webhook was faster than the host's own replicas: we still see what was there before the push."""
    known = repository.known
    at = known.refs.get(hook.ref) if known else None
    return hook.after is not None and at != hook.after and at == hook.before
