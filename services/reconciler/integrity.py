"""Source integrity: which revisions must be signed, by whom, and the question whether they are. What is not verified is
not rendered and not synced.

In: the project's `sourceIntegrity` (or the older `signatureKeys`), sources with their revisions. Out: nothing, or
Unverified in Argo CD's words. git_watcher looks at the signatures; that it can't be asked is no verification.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from services.reconciler.errors import ComparisonFailed, InvalidSpec, Unverified
from services.reconciler.heads import Head, is_chart
from services.reconciler.parts import Parts
from services.reconciler.permission import project_of
from services.reconciler.state import AppState, Obj
from shared.bus import BusError
from shared.events import RequestError, VerifyRevision
from shared.kinds.appproject import AppProject, IntegrityPolicy
from shared.kinds.globs import is_deny, matches
from shared.kinds.project import rule_url

VERIFY_TIMEOUT = 90.0


class Rule(NamedTuple):
    """What a project asks of a repository's revisions."""

    mode: Literal["head", "strict"]
    keys: tuple[str, ...]


def rule_for(project: AppProject, source: Obj) -> Rule | None:
    """Give what is asked of a source; None: nothing. The first policy that names the repository is the only one."""
    url = str(source.get("repoURL") or "")
    if is_chart(source) or not url:
        return None
    integrity = project.spec.source_integrity
    if integrity is None or integrity.git is None:
        keys = tuple(key.key_id for key in project.spec.signature_keys)
        return Rule("head", keys) if keys else None
    policy = next((policy for policy in integrity.git.policies if _names(policy, url)), None)
    if policy is None or policy.gpg is None or policy.gpg.mode == "none":
        return None
    return Rule("strict" if policy.gpg.mode == "strict" else "head", policy.gpg.keys)


def _names(policy: IntegrityPolicy, url: str) -> bool:
    """Tell whether a policy is about a repository. `*` crosses slashes only where that means: verify."""
    wanted = rule_url(url)
    named = any(matches(rule_url(repo.url), wanted) for repo in policy.repos if not is_deny(repo.url))
    return named and not any(matches(rule_url(repo.url[1:]), wanted, "/") for repo in policy.repos if is_deny(repo.url))


def rules_of(parts: Parts, state: AppState, sources: Iterable[Obj]) -> tuple[Rule | None, ...]:
    """Give the rule of each source. Raises InvalidSpec."""
    project = project_of(parts, state)
    return tuple(rule_for(project, source) for source in sources)


def inputs(parts: Parts, state: AppState, sources: Iterable[Obj]) -> list[str]:
    """Give what verification depends on besides the revisions: another policy or other keys, and it is done again."""
    rules = rules_of(parts, state, sources)
    return [repr(rules), parts.keyring] if any(rules) else []


async def verify(
    parts: Parts, state: AppState, sources: Sequence[Obj], heads: Sequence[Head], revisions: Sequence[str]
) -> None:
    """Have the revisions of all sources verified that a policy names. Raises ComparisonFailed, Unverified."""
    questions = [
        VerifyRevision(
            repo_url=str(source["repoURL"]),
            revision=revision,
            ref=head.branch.ref if head.branch else "",
            project=state.project,
            mode=rule.mode,
            keys=rule.keys,
            keyring=parts.keyring,
        )
        for source, rule, head, revision in zip(sources, rules_of(parts, state, sources), heads, revisions, strict=True)
        if rule is not None
    ]
    problems = [problem for question in questions for problem in await ask(parts, question)]
    if problems:
        raise Unverified("; ".join(problems))


async def ask(parts: Parts, question: VerifyRevision) -> Sequence[str]:
    """Give what is wrong with a revision. Raises ComparisonFailed when nobody can tell."""
    try:
        found = await parts.bus.request(question, timeout=VERIFY_TIMEOUT)
    except (RequestError, BusError) as error:
        retriable = not isinstance(error, RequestError) or error.retriable
        message = f"Failed to load target state: failed to verify the revision: {error}"
        raise ComparisonFailed(message, retriable=retriable) from error
    return () if found.verified else found.problems or ("GIT/GPG: the revision is not verified",)


def check_operation(parts: Parts, state: AppState, operation: Obj, sources: Iterable[Obj]) -> None:
    """Raise InvalidSpec for a sync that a policy of the project forbids now, whatever was found before."""
    if state.unverified:
        raise InvalidSpec(state.unverified)
    if (operation.get("sync") or {}).get("manifests") and any(rules_of(parts, state, sources)):
        raise InvalidSpec("Cannot use local manifests when source integrity is enforced")
