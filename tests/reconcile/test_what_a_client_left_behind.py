"""A field that a client applied, that lives and that git does not have: out of sync where a sync would remove it."""

from typing import Any

import orjson
import pytest

from services.reconciler.compare import judge, live_digest
from services.reconciler.desired import Target
from services.reconciler.ways import CLIENTS
from shared.kinds.refs import ResourceKey
from shared.merge import digest

Obj = dict[str, Any]
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
WANTED: Obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "1"}}
TARGET = Target(ResourceKey("", "ConfigMap", "", "a"), WANTED, digest(WANTED))


def live(manager: str, operation: str = "Update", api_version: str = "v1") -> Obj:
    """Both `a` and `b`, as this manager applied them."""
    applied = {**WANTED, "apiVersion": api_version, "data": {"a": "1", "b": "2"}}
    fields: Obj = {"f:data": {"f:a": {}, "f:b": {}}}
    entry = {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields}
    annotations = {LAST_APPLIED: orjson.dumps(applied).decode()}
    metadata = {"name": "a", "annotations": annotations, "managedFields": [entry]}
    return {**applied, "apiVersion": "v1", "metadata": metadata}


@pytest.mark.parametrize(
    ("obj", "former", "status"),
    [
        (live("kubectl-client-side-apply"), CLIENTS, "OutOfSync"),
        (live("argocd-controller"), CLIENTS, "OutOfSync"),
        (live("kubectl-client-side-apply"), (), "Synced"),
        (live("a-backup-tool"), CLIENTS, "Synced"),
        (live("a-backup-tool"), (*CLIENTS, "a-backup-tool"), "OutOfSync"),
        (live("kubectl-client-side-apply", "Apply"), CLIENTS, "Synced"),
        (live("kubectl-client-side-apply", api_version="v1beta1"), CLIENTS, "Synced"),
    ],
)
def test_only_what_will_be_taken_over_counts(obj: Obj, former: tuple[str, ...], status: str) -> None:
    verdict = judge(TARGET, obj, live_digest(obj), former=former)
    assert verdict
    assert verdict.status == status
