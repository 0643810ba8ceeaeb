"""Checks of the cluster: it answers, has the CRDs, allows what the services do, and its clock is ours."""

from typing import Any

from services.cli.doctor import settings
from services.cli.doctor.findings import Finding, well, wrong
from services.cli.session import Session
from shared.kube import ApiError, NotFound, UnknownKind, verbs

Obj = dict[str, Any]
_KINDS = ("Application", "AppProject")
_LARGEST_SKEW = 5.0
_NEEDED = (
    ("argoproj.io", "applications", ("get", "list", "watch", "patch", "update")),
    ("argoproj.io", "appprojects", ("get", "list", "watch", "patch")),
    ("", "configmaps", ("get", "list", "watch", "create", "patch", "delete")),
    ("", "secrets", ("get", "list", "watch")),
    ("", "namespaces", ("get", "create")),
    ("", "events", ("create", "patch")),
    ("apps", "deployments", ("get", "list", "watch", "create", "patch", "delete")),
)


async def check(session: Session) -> list[Finding]:
    try:
        version = await session.discovery.version()
    except ApiError as error:
        return [
            wrong(f"the API server does not answer: {error.message}", "is the kubeconfig right, does the cluster run?")
        ]
    found = [well(f"the API server answers (Kubernetes {version})")]
    return [*found, *await _crds(session), *await _permissions(session), *await _argo(session)]


async def _crds(session: Session) -> list[Finding]:
    missing = []
    for kind in _KINDS:
        try:
            await session.discovery.resource("argoproj.io", kind)
        except UnknownKind:
            missing.append(kind)
    if missing:
        return [wrong(f"the cluster knows no {' and no '.join(missing)}", "`tiphys up` installs the CRDs")]
    return [well("the CRDs are installed")]


async def _permissions(session: Session) -> list[Finding]:
    """Asked with the identity of this command's kubeconfig."""
    resource = await session.discovery.resource("authorization.k8s.io", "SelfSubjectAccessReview")
    denied = []
    for group, plural, wanted in _NEEDED:
        for verb in wanted:
            review = {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": {"group": group, "resource": plural, "verb": verb}},
            }
            answer = await verbs.create(session.cluster, resource, review)
            if not answer["status"].get("allowed"):
                denied.append(f"{verb} {plural}")
    if denied:
        return [wrong(f"not permitted: {', '.join(denied)}", "bind a ClusterRole that allows it")]
    return [well("this identity may do what the services do")]


async def _argo(session: Session) -> list[Finding]:
    secrets = await session.discovery.resource("", "Secret")
    maps = await session.discovery.resource("", "ConfigMap")
    labelled = await verbs.list_(session.cluster, secrets, session.namespace, label_selector=settings.TYPE_LABEL)
    return [
        *settings.repositories(labelled),
        *settings.argocd_cm(await _get(session, maps, "argocd-cm"), session.namespace),
        *settings.webhooks(await _get(session, secrets, "argocd-secret")),
    ]


async def _get(session: Session, resource: Any, name: str) -> Obj | None:
    try:
        return await verbs.get(session.cluster, resource, session.namespace, name)
    except NotFound:
        return None
