"""The measured objects: Rollouts, what carries their traffic, AnalysisRuns. Pure."""

from typing import Any

Obj = dict[str, Any]
WEIGHTS = (20, 40, 60, 80)
BARE = "tiphys-bench-bare"
FIRST, SECOND = "registry.example/bench:1", "registry.example/bench:2"


def name_of(number: int) -> str:
    return f"web-{number:05d}"


def rollout(number: int, namespace: str, replicas: int, strategy: Obj) -> Obj:
    labels = {"app": name_of(number)}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": name_of(number), "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": pod_template(labels, FIRST),
            "strategy": {"canary": strategy},
        },
    }


def pod_template(labels: dict[str, str], image: str) -> Obj:
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}


def by_pods() -> Obj:
    """Step by step without a pause."""
    return {"steps": [{"setWeight": weight} for weight in WEIGHTS]}


def by_traffic(number: int, pauses: int) -> Obj:
    """As many pauses as asked for, between weights that each grow by one; an nginx Ingress carries the traffic."""
    steps: list[Obj] = [{"setWeight": 1}]
    for weight in range(2, pauses + 2):
        steps += [{"pause": {}}, {"setWeight": weight}]
    name = name_of(number)
    return {
        "steps": [*steps, {"pause": {}}],
        "stableService": f"{name}-stable",
        "canaryService": f"{name}-canary",
        "trafficRouting": {"nginx": {"stableIngress": name}},
    }


def canary_ingress(number: int) -> str:
    return f"{name_of(number)}-{name_of(number)}-canary"


def services(number: int, namespace: str) -> list[Obj]:
    name = name_of(number)
    spec = {"selector": {"app": name}, "ports": [{"port": 80}]}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"{name}-{role}", "namespace": namespace},
            "spec": spec,
        }
        for role in ("stable", "canary")
    ]


def ingress(number: int, namespace: str) -> Obj:
    name = name_of(number)
    backend = {"service": {"name": f"{name}-stable", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"rules": [{"host": f"{name}.example.org", "http": {"paths": [path]}}]},
    }


def bare_name(number: int, image: str) -> str:
    return f"bare-{number:05d}-{image.rpartition(':')[2]}"


def replica_set(number: int, namespace: str, image: str, replicas: int) -> Obj:
    """One of a bare client's: the rollout manager does not see it."""
    name = bare_name(number, image)
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": namespace, "labels": {BARE: str(number)}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": pod_template(labels, image),
        },
    }


def analysis_run(number: int, namespace: str, url: str, interval: float, count: int) -> Obj:
    metric = {
        "name": "answers",
        "interval": f"{interval:g}s",
        "count": count,
        "successCondition": "result >= 1",
        "provider": {"web": {"url": f"{url}/{number}", "jsonPath": "{$.value}"}},
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"name": name_of(number), "namespace": namespace},
        "spec": {"metrics": [metric]},
    }
