"""What an Application's project lets it do: repositories, destinations, namespaces, kinds. The rules are
`shared.kinds.project`.
"""

from collections.abc import Callable, Iterable

from services.reconciler.desired import Target
from services.reconciler.destination import Destination
from services.reconciler.errors import InvalidSpec
from services.reconciler.outcome import Outcome
from services.reconciler.parts import Parts
from services.reconciler.scope import sources_of
from services.reconciler.state import AppState, Obj
from shared.kinds.appproject import AppProject
from shared.kinds.project import permitted_destination, permitted_resource, permitted_source, permitted_source_namespace
from shared.kinds.refs import ResourceKey
from shared.merge import pointer_path


def project_of(parts: Parts, state: AppState) -> AppProject:
    """Give the project of an Application, with what it inherits. Raises InvalidSpec."""
    known = parts.projects.get(state.project)
    if known is None:
        raise InvalidSpec(f"Application referencing project {state.project} which does not exist")
    if known.problems:
        raise InvalidSpec(f"project {state.project} is invalid and permits nothing: {'; '.join(known.problems)}")
    return known.project


def cluster_of(parts: Parts, server: str) -> tuple[str, str]:
    """Give the name of a cluster, and the project that it belongs to."""
    secret = parts.destinations.secret(server)
    return (secret.name, secret.project) if secret else ("in-cluster", "")


def check_spec(parts: Parts, state: AppState) -> None:
    """Raise InvalidSpec with everything that the project or common sense has against the spec."""
    spec = state.obj["spec"]
    project = project_of(parts, state)
    problems = refused_sources(sources_of(spec), project)
    destination = spec.get("destination") or {}
    server = parts.destinations.server_of(destination)
    (name, owner), namespace = cluster_of(parts, server), destination.get("namespace") or ""
    if not permitted_destination(project, server=server, name=name, namespace=namespace, cluster_project=owner):
        problems.append(
            f"application destination server '{server}' and namespace '{namespace}' do not match any of the allowed "
            f"destinations in project '{project.name}'"
        )
    if state.key.namespace != parts.namespace and not permitted_source_namespace(project, state.key.namespace):
        problems.append(
            f"application '{state.key.name}' in namespace '{state.key.namespace}' is not permitted to use project "
            f"'{project.name}'"
        )
    problems += [*unread_rules(spec), *unsupported(spec)]
    if problems:
        raise InvalidSpec("; ".join(problems))


def unsupported(spec: Obj) -> list[str]:
    """Give what would bring something else than is meant: without its hydrator such an Application wants nothing."""
    hydrator = "spec.sourceHydrator is not supported: name the hydrated branch as spec.source instead"
    return [hydrator] if spec.get("sourceHydrator") else []


def unread_rules(spec: Obj) -> list[str]:
    """Give what `ignoreDifferences` asks for that can't be done: better no sync than one that fights over a field."""
    rules = spec.get("ignoreDifferences") or ()
    pointers = [str(text) for rule in rules for text in rule.get("jsonPointers") or ()]
    return [
        f"ignoreDifferences: {text!r} is no JSON pointer, write it as /spec/replicas"
        for text in pointers
        if pointer_path(text) is None
    ]


def check_sources(parts: Parts, state: AppState, sources: Iterable[Obj]) -> None:
    """Raise InvalidSpec where the project does not permit the sources that an operation names."""
    if problems := refused_sources(sources, project_of(parts, state)):
        raise InvalidSpec("; ".join(problems))


def refused_sources(sources: Iterable[Obj], project: AppProject) -> list[str]:
    """Say which repositories the project does not permit."""
    urls = [str(source.get("repoURL") or "") for source in sources]
    refused = [url for url in urls if url and not permitted_source(project, url)]
    return [f"application repo {url} is not permitted in project '{project.name}'" for url in refused]


def refused(parts: Parts, state: AppState, destination: Destination, targets: Iterable[Target]) -> list[Outcome]:
    """Give a failed outcome for each object that the project does not permit."""
    project = project_of(parts, state)
    reasons = [(target, objection(parts, project, destination.server, target.key)) for target in targets]
    return [
        Outcome(target.key, target.obj["apiVersion"].rpartition("/")[2], "SyncFailed", why)
        for target, why in reasons
        if why
    ]


def hands_off(parts: Parts, state: AppState, server: str) -> Callable[[ResourceKey], bool]:
    """Tell of live objects that the project does not permit: nobody's extra ones, neither shown, pruned nor deleted.

    A project that is gone or invalid says nothing about what was delivered while it was there.
    """
    known = parts.projects.get(state.project)
    if known is None or known.problems:
        return lambda _key: False
    return lambda key: bool(objection(parts, known.project, server, key))


def objection(parts: Parts, project: AppProject, server: str, key: ResourceKey) -> str:
    """Say why a project does not permit an object; empty when it does."""
    namespaced = bool(key.namespace)
    if not permitted_resource(project, key.group_kind, name=key.name, namespaced=namespaced):
        return f"Resource {key.group}:{key.kind} is not permitted in project {project.name}."
    name, owner = cluster_of(parts, server)
    place = key.namespace
    if namespaced and not permitted_destination(
        project, server=server, name=name, namespace=place, cluster_project=owner
    ):
        return f"namespace {place} is not permitted in project '{project.name}'"
    return ""
