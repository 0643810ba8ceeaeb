"""Checks of Argo's settings: repository Secrets, argocd-cm, webhook secrets. Pure: objects in, findings out.

Findings name Secrets and keys, never what they hold.
"""

from collections.abc import Callable, Iterable
from typing import Any

from services.cli.doctor.findings import Finding, well, wrong
from shared.kinds import secrets

Obj = dict[str, Any]
TYPE_LABEL = secrets.TYPE_LABEL
_KINDS: dict[str, Callable[[Obj], Any]] = {
    "repository": secrets.RepositorySecret.from_secret,
    "repo-creds": secrets.RepositoryCredentials.from_secret,
    "cluster": secrets.ClusterSecret.from_secret,
}
METHODS = ("annotation", "label", "annotation+label")
WEBHOOK_KEYS = (
    "webhook.github.secret", "webhook.gitlab.secret", "webhook.gogs.secret", "webhook.bitbucket.uuid",
    "webhook.bitbucketserver.secret", "webhook.azuredevops.password",
)  # fmt: skip


def repositories(found: Iterable[Obj]) -> list[Finding]:
    """Every repository, repo-creds and cluster Secret that can't be used as it is."""
    problems, good = [], 0
    for secret in found:
        kind = (secret["metadata"].get("labels") or {}).get(TYPE_LABEL, "")
        problem = _problem(kind, secret)
        if problem:
            problems.append(wrong(f"Secret {secret['metadata']['name']} ({kind}): {problem}", "correct that key"))
        good += not problem
    return [*problems, well(f"{good} repository and cluster Secrets can be read")]


def _problem(kind: str, secret: Obj) -> str:
    try:
        if kind in _KINDS:
            _KINDS[kind](secret)
    except secrets.InvalidSecret as error:
        return str(error)
    return ""


def argocd_cm(config: Obj | None, namespace: str) -> list[Finding]:
    if config is None:
        return [wrong(f"there is no ConfigMap argocd-cm in {namespace}", "the defaults hold; create an empty one")]
    data = config.get("data") or {}
    method = data.get("application.resourceTrackingMethod", "annotation")
    found = []
    if method not in METHODS:
        advice = f"write one of {', '.join(METHODS)}"
        found.append(wrong(f"argocd-cm: application.resourceTrackingMethod is {method!r}", advice))
    part_of = (config["metadata"].get("labels") or {}).get("app.kubernetes.io/part-of")
    if part_of != "argocd":
        advice = "label it app.kubernetes.io/part-of=argocd; Argo CD ignores it otherwise"
        found.append(wrong("argocd-cm has no label app.kubernetes.io/part-of", advice))
    return found or [well("argocd-cm can be read")]


def webhooks(secret: Obj | None) -> list[Finding]:
    """Without a secret anybody who reaches the gateway may announce a push; it is believed only after asking git."""
    held = (secret or {}).get("data") or {}
    kept = [key for key in WEBHOOK_KEYS if held.get(key)]
    if kept:
        return [well(f"webhook secrets: {', '.join(key.split('.')[1] for key in kept)}")]
    return [
        well(
            "no webhook secret is set", "set webhook.<provider>.secret in argocd-secret where others reach the gateway"
        )
    ]
