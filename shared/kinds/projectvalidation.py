"""What is wrong with an AppProject, field by field. One that has any problem permits nothing.

In: an AppProject that could be parsed. Out: sentences, empty when it is valid. A pattern that can't be read would match
nothing: where it denies, that would permit, so it is a problem and not only useless.
"""

import re
from collections.abc import Iterable, Iterator

from shared.kinds.appproject import AppProject, IntegrityPolicy
from shared.kinds.globs import is_expression, readable
from shared.kinds.policies import role_problems

MODES = ("none", "head", "strict")
KEY_ID = re.compile(r"(0x)?([0-9A-Fa-f]{8}|[0-9A-Fa-f]{16}|[0-9A-Fa-f]{40})")
SSH_KEY = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
ACCOUNT = re.compile(r"([a-z0-9]([-a-z0-9]*[a-z0-9])?:)?[a-z0-9]([-.a-z0-9]*[a-z0-9])?")


def problems(project: AppProject) -> list[str]:
    """Give every problem."""
    return [
        *_patterns(project),
        *_twice(project),
        *role_problems(project),
        *_accounts(project),
        *_keys("spec.signatureKeys", (key.key_id for key in project.spec.signature_keys)),
        *_integrity(project),
    ]


def _patterns(project: AppProject) -> Iterator[str]:
    for where, pattern in _every_pattern(project):
        if pattern == "!*":
            yield f"{where}: '!*' denies everything: leave the list empty instead"
        elif not _readable(where, pattern.removeprefix("!")):
            yield f"{where}: the pattern {pattern!r} can't be read: check its brackets and braces"


def _every_pattern(project: AppProject) -> Iterator[tuple[str, str]]:
    spec = project.spec
    yield from (("spec.sourceRepos", one) for one in spec.source_repos)
    for place in spec.destinations:
        yield from (("spec.destinations", one) for one in (place.server, place.name, place.namespace))
    yield from (("spec.sourceNamespaces", one) for one in spec.source_namespaces)
    lists = {
        "clusterResourceWhitelist": spec.cluster_resource_whitelist,
        "clusterResourceBlacklist": spec.cluster_resource_blacklist,
        "namespaceResourceWhitelist": spec.namespace_resource_whitelist or (),
        "namespaceResourceBlacklist": spec.namespace_resource_blacklist,
    }
    for name, rules in lists.items():
        for rule in rules:
            yield from ((f"spec.{name}", one) for one in (rule.group, rule.kind, rule.name))
    for account in spec.destination_service_accounts:
        yield from (("spec.destinationServiceAccounts", one) for one in (account.server, account.namespace))


def _readable(where: str, pattern: str) -> bool:
    """Tell whether a pattern means something; names of namespaces may be /regular expressions/."""
    if where != "spec.sourceNamespaces" or not is_expression(pattern):
        return readable(pattern)
    try:
        re.compile(pattern[1:-1])
    except re.error:
        return False
    return True


def _twice(project: AppProject) -> Iterator[str]:
    spec = project.spec
    yield from (f"spec.sourceRepos: {one!r} is there twice" for one in _repeated(spec.source_repos))
    yield from (f"spec.sourceNamespaces: {one!r} is there twice" for one in _repeated(spec.source_namespaces))
    places = [f"{place.server or place.name}/{place.namespace}" for place in spec.destinations]
    yield from (f"spec.destinations: {one!r} is there twice" for one in _repeated(places))


def _repeated(values: Iterable[str]) -> list[str]:
    found = list(values)
    return sorted({one for one in found if found.count(one) > 1})


def _accounts(project: AppProject) -> Iterator[str]:
    for rule in project.spec.destination_service_accounts:
        if not ACCOUNT.fullmatch(rule.default_service_account):
            yield (
                f"spec.destinationServiceAccounts: {rule.default_service_account!r} is no ServiceAccount: "
                "write its name, or NAMESPACE:NAME"
            )


def _integrity(project: AppProject) -> Iterator[str]:
    if project.spec.source_integrity and project.spec.signature_keys:
        yield "spec.signatureKeys and spec.sourceIntegrity exclude each other: move the keys into a policy"
    git = project.spec.source_integrity.git if project.spec.source_integrity else None
    for position, policy in enumerate(git.policies if git else ()):
        yield from _policy(f"spec.sourceIntegrity.git.policies[{position}]", policy)


def _policy(where: str, policy: IntegrityPolicy) -> Iterator[str]:
    if not policy.repos:
        yield f"{where}.repos is empty: write `url: '*'` for every repository"
    for repo in policy.repos:
        if not repo.url.removeprefix("!") or not readable(repo.url.removeprefix("!")):
            yield f"{where}.repos: the url {repo.url!r} can't be read"
    if policy.gpg is None or policy.gpg.mode not in MODES:
        yield f"{where}.gpg.mode must be one of {', '.join(MODES)}"
        return
    yield from _keys(f"{where}.gpg.keys", policy.gpg.keys)


def _keys(where: str, keys: Iterable[str]) -> Iterator[str]:
    for key in keys:
        if not KEY_ID.fullmatch(key) and not SSH_KEY.fullmatch(key):
            yield f"{where}: {key!r} is neither the ID of a GPG key nor an SSH key's SHA256:... fingerprint"
