"""Answers to `git.resolve`, `git.metadata`, `git.changed`, `git.refs`, `git.verify`: from what is known while it is
fresh.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps
from typing import TypeVar

from services.git_watcher.admission import Admission
from services.git_watcher.known import Known
from services.git_watcher.repositories import Repositories
from services.git_watcher.repository import Look, Repository
from services.git_watcher.signatures import Signatures
from shared.events import (
    AskRepositories,
    ChangedPaths,
    Changes,
    CommitMetadata,
    ListRefs,
    Message,
    Refs,
    RepositoryConnection,
    RepositoryConnections,
    RequestError,
    ResolvedRevision,
    ResolveRevision,
    RevisionMetadata,
    RevisionVerification,
    VerifyRevision,
)
from shared.git.changes import changed_paths, describe
from shared.git.errors import GitFailure, RevisionNotFound
from shared.git.mirror import complete_sha, holds
from shared.git.mirrors import Mirrors
from shared.git.revisions import TAGS, Highest, Resolved, find_ref, find_version, is_range, is_sha, is_short_sha
from shared.git.signed import keeps

Question = TypeVar("Question", bound=Message)
Answer = TypeVar("Answer", bound=Message)


def _told(
    answer: Callable[["Answers", Question], Awaitable[Answer]],
) -> Callable[["Answers", Question], Awaitable[Answer]]:
    """A git failure becomes the failure of the request, with the same reason."""

    @wraps(answer)
    async def told(self: "Answers", question: Question) -> Answer:
        try:
            return await answer(self, question)
        except GitFailure as failure:
            raise RequestError(failure.reason, str(failure), retriable=failure.retriable) from failure

    return told


class Answers:
    """`fresh_seconds`: how long a look counts as the present."""

    def __init__(
        self,
        repositories: Repositories,
        mirrors: Mirrors,
        admission: Admission,
        signatures: Signatures,
        *,
        highest: Highest,
        fresh_seconds: Callable[[], float],
    ) -> None:
        self._repositories, self._mirrors, self._signatures = repositories, mirrors, signatures
        self._admission = admission
        self._highest, self._fresh_seconds = highest, fresh_seconds

    @_told
    async def resolve(self, question: ResolveRevision) -> ResolvedRevision:
        repository = await self._repository(question.repo_url, question.project)
        found = await self._resolve(repository, question.target_revision or "HEAD", question)
        return ResolvedRevision(revision=found.revision, ref=found.ref)

    @_told
    async def metadata(self, question: RevisionMetadata) -> CommitMetadata:
        repository = await self._repository(question.repo_url, question.project)
        await self._bring(repository, question.revision)
        commit = await self._mirrors.call(describe, repository.mirror, question.revision)
        refs = repository.known.refs if repository.known else {}
        tags = sorted(
            ref.removeprefix(TAGS) for ref, at in refs.items() if ref.startswith(TAGS) and at == question.revision
        )
        return CommitMetadata(
            author=commit.author,
            date=commit.committed_at,
            subject_line=commit.subject,
            message=commit.message,
            tags=tuple(tags),
        )

    @_told
    async def changed(self, question: ChangedPaths) -> Changes:
        repository = await self._repository(question.repo_url, question.project)
        await self._bring(repository, question.old, question.new)
        changed = await self._mirrors.call(changed_paths, repository.mirror, question.old, question.new)
        return Changes(changed=changed)

    async def connections(self, question: AskRepositories) -> RepositoryConnections:
        """One that can't be reached is an answer like any other."""
        looked = [await self._connection(url, question) for url in question.urls]
        return RepositoryConnections(repositories=tuple(looked))

    async def _connection(self, url: str, question: AskRepositories) -> RepositoryConnection:
        repository = self._repositories.of(url, question.project)
        if question.refresh:
            repository.release()
            with suppress(GitFailure):
                await repository.look(Look("request"))
        if repository.failure is not None:
            return RepositoryConnection(url=url, status="Failed", message=str(repository.failure))
        return RepositoryConnection(url=url, status="Unknown" if repository.known is None else "Successful")

    @_told
    async def refs(self, question: ListRefs) -> Refs:
        repository = await self._repository(question.repo_url, question.project)
        known = await self._know(repository, refresh=question.refresh)
        return Refs(refs={name: at for name, at in known.refs.items() if name != "HEAD"}, head=known.head)

    @_told
    async def verify(self, question: VerifyRevision) -> RevisionVerification:
        repository = await self._repository(question.repo_url, question.project)
        await self._bring(repository, question.revision)
        if question.ref.startswith(TAGS) and not await self._mirrors.call(keeps, repository.mirror, question.ref):
            await repository.look(Look("request", wants=(question.ref,)))
        return await self._signatures.verify(repository.mirror, question)

    async def _repository(self, url: str, project: str) -> Repository:
        repository = self._repositories.of(url, project)
        await self._admission.check(repository, url, project)
        return repository

    async def _resolve(self, repository: Repository, target: str, question: ResolveRevision) -> Resolved:
        if is_sha(target):
            await self._bring(repository, target)
            return Resolved(target)
        if not is_range(target):
            return await self._resolve_name(repository, target, refresh=question.refresh)
        known = await self._know(repository, refresh=question.refresh)
        found = await find_version(target, question.tag_prefix, known.seen, self._highest)
        return await self._resolve_name(repository, found.ref if found else target)

    async def _resolve_name(self, repository: Repository, target: str, *, refresh: bool = False) -> Resolved:
        """One connection at most: the look that finds the ref fetches it. What isn't known may be new: one looks."""
        known, found = repository.known, None
        if known is not None and not refresh and repository.age() <= self._fresh_seconds():
            found = await self._at_hand(repository, target, known)
        if found is None:
            known = await repository.look(Look("request", wants=(target,)))
            found = await self._at_hand(repository, target, known)
            if found is None:
                raise RevisionNotFound(_missing(target, empty=not known.refs))
        await repository.track(found.ref)
        return found

    async def _at_hand(self, repository: Repository, target: str, known: Known) -> Resolved | None:
        """A ref whose commit is in the mirror, or a commit there that begins like this."""
        found = find_ref(target, known.seen)
        if found is not None:
            return found if await self._mirrors.call(holds, repository.mirror, found.revision) else None
        if not is_short_sha(target):
            return None
        sha = await self._mirrors.call(complete_sha, repository.mirror, target)
        return Resolved(sha) if sha else None

    async def _know(self, repository: Repository, *, refresh: bool) -> Known:
        if repository.known is None or refresh or repository.age() > self._fresh_seconds():
            return await repository.look(Look("request"))
        return repository.known

    async def _bring(self, repository: Repository, *revisions: str) -> None:
        """Commits by SHA, from the mirror if it has them."""
        missing = [sha for sha in revisions if not await self._mirrors.call(holds, repository.mirror, sha)]
        if not missing:
            return
        if not all(map(is_sha, missing)):
            raise RevisionNotFound(f"{missing[0]} is no full commit SHA: resolve it first")
        await repository.look(Look("request", wants=tuple(missing)))
        for sha in missing:
            if not await self._mirrors.call(holds, repository.mirror, sha):
                raise RevisionNotFound(
                    f"the repository has no commit {sha}, or does not give it out: check targetRevision"
                )


def _missing(target: str, *, empty: bool) -> str:
    if empty:
        return f"the repository is empty: push a commit, then {target} can be found"
    return f"the repository has no branch, tag or commit {target}: check targetRevision"
