"""The demo's world: the sample repository's files, the three Applications, and the next change. Pure."""

import re
from pathlib import Path
from typing import Any

Obj = dict[str, Any]

REPOSITORY = "demo"
SEED = Path(__file__).with_name("repository")
CHANGED = "plain/deployment.yaml"
CHANGED_APPLICATION, CHANGED_NAMESPACE, CHANGED_DEPLOYMENT = "demo-plain", "demo-plain", "web"
NAMES = ("demo-plain", "demo-helm", "demo-kustomize")
TAGS = tuple(f"1.27.{patch}-alpine" for patch in range(6)) + tuple(f"1.29.{patch}-alpine" for patch in range(4))
_IMAGE = re.compile(r"image: nginx:(\S+)")


def seed() -> dict[str, bytes]:
    return {str(file.relative_to(SEED)): file.read_bytes() for file in sorted(SEED.rglob("*")) if file.is_file()}


def applications(repo_url: str, namespace: str) -> list[Obj]:
    return [
        _application("demo-plain", {"path": "plain"}, repo_url, namespace),
        _application("demo-helm", {"path": "helm", "helm": {"valueFiles": ["values-dev.yaml"]}}, repo_url, namespace),
        _application("demo-kustomize", {"path": "kustomize/dev"}, repo_url, namespace),
    ]


def _application(name: str, source: Obj, repo_url: str, namespace: str) -> Obj:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "default",
            "source": {"repoURL": repo_url, "targetRevision": "main", **source},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["CreateNamespace=true"],
            },
        },
    }


def bumped(manifest: str) -> tuple[str, str]:
    """The manifest with the next image tag, and that image."""
    found = _IMAGE.search(manifest)
    tag = found[1] if found else ""
    following = TAGS[(TAGS.index(tag) + 1) % len(TAGS)] if tag in TAGS else TAGS[0]
    return _IMAGE.sub(f"image: nginx:{following}", manifest), f"nginx:{following}"


def image_of(deployment: Obj) -> str:
    """The image of the first container; empty when there is none yet."""
    template = (deployment.get("spec") or {}).get("template") or {}
    containers = (template.get("spec") or {}).get("containers") or [{}]
    return str(containers[0].get("image", ""))


def farewell(repo_url: str, data: Path) -> str:
    return f"""
The stack goes on running. Try:
  tiphys app list
  tiphys app get demo-plain
  tiphys trace demo-plain
  git clone {repo_url}     # change something and push: it arrives in under a second
  tiphys events tail
  tiphys down              # its data stays in {data}
"""
