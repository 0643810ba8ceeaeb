"""In whose name a sync writes: the ServiceAccount that the project names for the destination, where argocd-cm switches
impersonation on. The first rule that fits counts; none, or a name that is none, and the sync fails.

Comparing, and deleting an Application with its objects, stay our own account's work, as in Argo CD.
"""

from services.reconciler.destination import Destination
from services.reconciler.errors import InvalidSpec
from services.reconciler.parts import Parts
from services.reconciler.permission import project_of
from services.reconciler.state import AppState
from shared.kinds.appproject import AppProject
from shared.kinds.globs import matches
from shared.kinds.projectvalidation import ACCOUNT


def acting(parts: Parts, state: AppState, destination: Destination) -> Destination:
    """Give the destination as the sync of an Application may write to it. Raises InvalidSpec."""
    project = project_of(parts, state)
    if not parts.argo.impersonation_enabled:
        return destination
    namespace = str((state.obj["spec"].get("destination") or {}).get("namespace") or "")
    return destination.acting_as(account(project, destination.server, namespace, state.key.namespace))


def account(project: AppProject, server: str, namespace: str, home: str) -> str:
    """Give the user to act as; `home`: the Application's namespace, which counts where its destination names none."""
    for rule in project.spec.destination_service_accounts:
        if matches(rule.server.rstrip("/"), server.rstrip("/")) and matches(rule.namespace, namespace):
            name = rule.default_service_account.strip()
            if not ACCOUNT.fullmatch(name):
                raise InvalidSpec(f"project {project.name}: default service account contains invalid chars {name!r}")
            full = name if ":" in name else f"{namespace or home}:{name}"
            return f"system:serviceaccount:{full}"
    raise InvalidSpec(
        f"failed to find a matching service account to impersonate: no destinationServiceAccounts of project "
        f"{project.name} fit destination server {server} and namespace {namespace!r}"
    )
