"""The measured world: one repository with N application folders of ten ConfigMaps and a Deployment, and N
Applications. Pure.

A folder is one file; `marks` says what each application's ConfigMaps hold, so a push is a new mark for one
application or for all. The Deployment has no replicas: pods would measure the node, not the delivery.
"""

import json
from typing import Any

Obj = dict[str, Any]

NAMESPACE, BARE_NAMESPACE = "bench", "bare"
CONFIGMAPS = 10
LABEL = {"tiphys-bench": "object"}


def app_name(number: int) -> str:
    return f"app-{number:05d}"


def folder(number: int) -> str:
    return f"apps/{app_name(number)}"


def config_map(number: int, index: int, mark: str) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{app_name(number)}-{index}", "labels": LABEL},
        "data": {"mark": mark, "index": str(index), "text": "some configuration\n" * 8},
    }


def deployment(number: int) -> Obj:
    labels = {"app": app_name(number)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": app_name(number), "labels": LABEL},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "registry.example/bench:1.0.0"}]},
            },
        },
    }


def objects(number: int, mark: str) -> list[Obj]:
    return [*(config_map(number, index, mark) for index in range(CONFIGMAPS)), deployment(number)]


def document(items: list[Obj]) -> bytes:
    """One YAML file; JSON documents are YAML too."""
    return "---\n".join(json.dumps(obj, indent=1) + "\n" for obj in items).encode()


def manifest(number: int, mark: str) -> bytes:
    return document(objects(number, mark))


def files(count: int, mark: str) -> dict[str, bytes]:
    return {f"{folder(number)}/all.yaml": manifest(number, mark) for number in range(count)}


def application(number: int, repo_url: str, argo_namespace: str) -> Obj:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": app_name(number),
            "namespace": argo_namespace,
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "default",
            "source": {"repoURL": repo_url, "path": folder(number), "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": NAMESPACE},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
        },
    }
