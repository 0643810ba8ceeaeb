"""What an AppProject permits: sources, destinations, kinds, namespaces of Applications. Argo CD's rules, deny wins.

In: an AppProject and what somebody wants to do. Out: yes or no. That a project doesn't exist is the caller's business,
as is the `default` project, which Argo CD makes when there is none (`default_project`).
"""

from collections.abc import Iterable

from shared.kinds.application import Destination
from shared.kinds.appproject import AppProject, KindRule, ProjectSpec
from shared.kinds.globs import agrees, is_deny, matches, matches_name
from shared.kinds.meta import ObjectMeta
from shared.kinds.refs import GroupKind

SEPARATOR = "/"


def default_project(namespace: str) -> AppProject:
    """Give the project that permits everything: what Argo CD creates as `default` on its first start."""
    spec = ProjectSpec(
        source_repos=("*",),
        destinations=(Destination(server="*", namespace="*"),),
        cluster_resource_whitelist=(KindRule(group="*", kind="*"),),
    )
    return AppProject(metadata=ObjectMeta(name="default", namespace=namespace), spec=spec)


def rule_url(url: str) -> str:
    """Give the form in which URLs and patterns of URLs are compared, whatever their case, `.git` and form of ssh."""
    text = url.strip().lower().removesuffix("/").removesuffix(".git")
    if "://" not in text:
        host, colon, path = text.partition(":")
        return f"{host}/{path.lstrip('/')}" if colon and "@" in host and "/" not in host else text
    return text.removeprefix("ssh://")


def permitted_source(project: AppProject, url: str) -> bool:
    wanted = rule_url(url)
    allowed = False
    for pattern in project.spec.source_repos:
        if is_deny(pattern):
            if matches(rule_url(pattern[1:]), wanted, SEPARATOR):
                return False
        elif matches(rule_url(pattern), wanted, SEPARATOR):
            allowed = True
    return allowed


def permitted_destination(
    project: AppProject, *, server: str = "", name: str = "", namespace: str = "", cluster_project: str = ""
) -> bool:
    """Tell whether Applications may go to this namespace of this cluster. `cluster_project`: whose the cluster is."""
    if project.spec.permit_only_project_scoped_clusters and cluster_project != project.name:
        return False
    answers = [_destination_rule(rule, server.rstrip("/"), name, namespace) for rule in project.spec.destinations]
    return any(answer is True for answer in answers) and not any(answer is False for answer in answers)


def _destination_rule(rule: Destination, server: str, name: str, namespace: str) -> bool | None:
    """Give True where a rule allows, False where it denies, None where it says nothing."""
    by_name = bool(name) and agrees(rule.name, name)
    by_server = bool(server) and agrees(rule.server.rstrip("/"), server)
    inside = agrees(rule.namespace, namespace)
    if (by_name or by_server) and inside:
        return True
    if not by_name and is_deny(rule.name):
        return False
    if not by_server and is_deny(rule.server) and inside:
        return False
    return False if not inside and is_deny(rule.namespace) and by_server else None


def permitted_source_namespace(project: AppProject, namespace: str) -> bool:
    """Tell whether Applications in this namespace, not Argo CD's own, may use the project."""
    return matches_name(project.spec.source_namespaces, namespace)


def permitted_resource(project: AppProject, kind: GroupKind, *, name: str = "", namespaced: bool) -> bool:
    spec = project.spec
    if namespaced:
        white = spec.namespace_resource_whitelist
        return (white is None or _listed(white, kind, "")) and not _listed(spec.namespace_resource_blacklist, kind, "")
    white = spec.cluster_resource_whitelist
    return _listed(white, kind, name) and not _listed(spec.cluster_resource_blacklist, kind, name)


def _listed(rules: Iterable[KindRule], kind: GroupKind, name: str) -> bool:
    return any(
        matches(rule.group, kind.group) and matches(rule.kind, kind.kind) and _named(rule.name, name) for rule in rules
    )


def _named(pattern: str, name: str) -> bool:
    return not pattern or not name or matches(pattern, name)


def with_global_projects(project: AppProject, others: Iterable[AppProject]) -> AppProject:
    """Add the lists of global projects to those of a project (argocd-cm `globalProjects`)."""
    spec = project.spec
    for other in others:
        added = {name: getattr(spec, name) + getattr(other.spec, name) for name in _MERGED}
        white = other.spec.namespace_resource_whitelist
        if white:  # an empty one adds nothing: it must not turn "every kind" into "none"
            added["namespace_resource_whitelist"] = (spec.namespace_resource_whitelist or ()) + white
        spec = spec.model_copy(update=added)
    return project.model_copy(update={"spec": spec})


_MERGED = (
    "source_repos",
    "destinations",
    "cluster_resource_whitelist",
    "cluster_resource_blacklist",
    "namespace_resource_blacklist",
    "sync_windows",
)
