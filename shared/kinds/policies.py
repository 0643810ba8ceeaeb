"""The policy lines of a project's roles: `p, proj:<project>:<role>, <resource>, <action>, <project>/<object>, allow`.

In: a role as it stands in an AppProject. Out: what is wrong with it, a sentence each. A project can only speak about
itself: a line that names another subject or another project's objects is refused. Who may do what is decided elsewhere.
"""

import re
from collections.abc import Iterator

from shared.kinds.appproject import AppProject, ProjectRole

RESOURCES = ("applications", "applicationsets", "clusters", "exec", "logs", "repositories", "write-repositories")
ACTIONS = ("get", "create", "update", "delete", "sync", "rollback", "override", "invoke", "*")
_DEEP_ACTION = re.compile(r"(action|update|delete)/\S+")
_ROLE = re.compile(r"[a-zA-Z0-9]([-_a-zA-Z0-9]*[a-zA-Z0-9])?")
_OBJECT = re.compile(r"[*\w.\-?\[\]{}!,]+(/[*\w.\-?\[\]{}!,]+)?")
FORM = "p, proj:<project>:<role>, <resource>, <action>, <project>/<object>, <allow or deny>"


def role_problems(project: AppProject) -> Iterator[str]:
    """Give what is wrong with the roles of a project."""
    names = [role.name for role in project.spec.roles]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"role {name!r} is there twice: role names must be unique"
    for role in project.spec.roles:
        yield from _role(project.name, role)


def _role(project: str, role: ProjectRole) -> Iterator[str]:
    if not _ROLE.fullmatch(role.name):
        yield f"role {role.name!r}: a name is letters, digits, '-' and '_', with a letter or digit at both ends"
    for policy in dict.fromkeys(role.policies):
        if role.policies.count(policy) > 1:
            yield f"role {role.name!r} has the policy {policy!r} twice"
        yield from (
            f"policy {policy!r} of role {role.name!r}: {why}" for why in policy_problems(project, role.name, policy)
        )
    for group in dict.fromkeys(role.groups):
        if role.groups.count(group) > 1:
            yield f"role {role.name!r} has the group {group!r} twice"
        if not group.strip() or group != group.strip() or any(char in group for char in "\n\r\t"):
            yield f"role {role.name!r}: the group {group!r} is empty, or has white space around it"
    ids = [token.id or str(token.iat) for token in role.jwt_tokens]
    for token in sorted({token for token in ids if ids.count(token) > 1}):
        yield f"role {role.name!r} has the token {token!r} twice"


def policy_problems(project: str, role: str, policy: str) -> Iterator[str]:
    """Give what is wrong with one line."""
    parts = [part.strip() for part in policy.split(",")]
    if len(parts) != 6 or parts[0] != "p":
        yield f"it must have the form {FORM}"
        return
    _, subject, resource, action, target, effect = parts
    if subject != f"proj:{project}:{role}":
        yield f"its subject must be proj:{project}:{role}, not {subject!r}"
    if resource not in RESOURCES:
        yield f"its resource must be one of {', '.join(RESOURCES)}, not {resource!r}"
    if action not in ACTIONS and not _DEEP_ACTION.fullmatch(action):
        yield f"its action must be one of {', '.join(ACTIONS)} or action/<group>/<kind>/<name>, not {action!r}"
    if not target.startswith(f"{project}/") or not _OBJECT.fullmatch(target.removeprefix(f"{project}/")):
        yield f"its object must be {project}/<name> or {project}/<namespace>/<name> (globs allowed), not {target!r}"
    if effect not in {"allow", "deny"}:
        yield f"its effect must be allow or deny, not {effect!r}"
