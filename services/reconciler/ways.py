"""In which way an object is written: its sync options, its Application's, the operation's. Pure.

An option on the object wins over the same one of the Application or operation. `ServerSideApply` is not among them:
every apply is a server-side apply.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.reconciler.compare import FIELD_MANAGER
from shared.kinds.options import annotations_of, sync_options
from shared.kinds.refs import GroupKind
from shared.kube.verbs import Validation

FORMER_MANAGER = "argocd.argoproj.io/client-side-apply-migration-manager"
CLIENTS = ("kubectl-client-side-apply", FIELD_MANAGER, "argocd-application-controller")
NEVER_RECREATED = frozenset({GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"), GroupKind("", "Namespace")})


@dataclass(frozen=True, slots=True)
class Way:
    """`replace`: the whole object is put in its place. `recreate`: it may be deleted and made again where it can't be
    changed, and is every time when it is replaced. `former`: managers of whom it is taken over.
    """

    replace: bool = False
    recreate: bool = False
    validation: Validation = "Strict"
    former: tuple[str, ...] = CLIENTS
    out_of_sync_only: bool = False
    respect_ignored: bool = False

    @property
    def always(self) -> bool:
        """Whether it is written even when it is in sync, as kubectl replace does."""
        return self.replace and not self.out_of_sync_only


def way_of(obj: Mapping[str, Any], options: Iterable[str], *, force: bool = False, former: str = "") -> Way:
    """Give the way for an object. `options` are the operation's and the Application's, `force` is the strategy's."""
    given = sync_options(options, obj)
    lasting = GroupKind.of(obj) in NEVER_RECREATED
    other = str(annotations_of(obj).get(FORMER_MANAGER) or former)
    return Way(
        replace=given.get("Replace") == "true",
        recreate=(force or given.get("Force") == "true") and not lasting,
        validation="Ignore" if given.get("Validate") == "false" else "Strict",
        former=() if given.get("ClientSideApplyMigration") == "false" else (*CLIENTS, *([other] if other else [])),
        out_of_sync_only=given.get("ApplyOutOfSyncOnly") == "true",
        respect_ignored=given.get("RespectIgnoreDifferences") == "true",
    )
