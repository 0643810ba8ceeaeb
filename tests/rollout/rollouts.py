"""Rollouts to play with."""

from typing import Any

Obj = dict[str, Any]


def rollout(strategy: Obj, *, name: str = "web", namespace: str = "test", image: str = "v1", **spec: Any) -> Obj:
    container = {"name": "c", "image": image}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": name, "namespace": namespace, "uid": "uid-of-web", "generation": 1},
        "spec": {
            "replicas": 10,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
            "strategy": strategy,
            **spec,
        },
    }


def canary(*steps: Obj, **fields: Any) -> Obj:
    return {"canary": {"steps": list(steps), **fields}}


def routed(*steps: Obj, **fields: Any) -> Obj:
    """A canary whose traffic an nginx Ingress carries."""
    routing = {"nginx": {"stableIngress": "web"}}
    return canary(*steps, canaryService="canary", stableService="stable", trafficRouting=routing, **fields)


def blue_green(**fields: Any) -> Obj:
    return {"blueGreen": {"activeService": "active", "previewService": "preview", **fields}}


def service(name: str, namespace: str, app: str = "web") -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": app}, "ports": [{"port": 80, "targetPort": 8080}]},
    }


def ingress(namespace: str, name: str = "web", backend: str = "stable") -> Obj:
    to = {"service": {"name": backend, "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": to}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"rules": [{"host": "web.example.org", "http": {"paths": [path]}}]},
    }
