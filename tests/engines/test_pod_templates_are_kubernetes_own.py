"""Pod templates: the hash that the real Deployment controller wrote, the API server's defaults and its refusals."""

import json
from typing import Any

import pytest
import yaml

from shared.engines import pods
from shared.engines.client import Engines
from shared.engines.errors import EngineError
from tests.parts.cluster import ClusterUnderTest

Obj = dict[str, Any]
RICH = """
containers:
- name: a
  image: registry.example.com/app:1.2.3
  args: ["--x=1", two words]
  env: [{name: E, value: "1"}, {name: N, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
  resources: {limits: {cpu: 1500m, memory: 1Gi}, requests: {cpu: "0.5", memory: 512Mi}}
  ports: [{containerPort: 8080, name: http}]
  readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 3}
  volumeMounts: [{name: v, mountPath: /v, readOnly: true}]
  securityContext: {runAsNonRoot: true, capabilities: {drop: [ALL]}}
- name: b
  image: b
  lifecycle: {preStop: {exec: {command: [sleep, "1"]}}}
initContainers: [{name: i, image: i, restartPolicy: Always}]
volumes:
- {name: v, configMap: {name: c, defaultMode: 256}}
- {name: e, emptyDir: {sizeLimit: 1Gi}}
nodeSelector: {a: b, c: d}
tolerations: [{key: k, operator: Exists, tolerationSeconds: 5, effect: NoExecute}]
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 5
      podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: x}}}
topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]
terminationGracePeriodSeconds: 0
hostAliases: [{ip: 10.0.0.1, hostnames: [h]}]
securityContext: {fsGroup: 5, sysctls: [{name: net.core.somaxconn, value: "1024"}]}
"""
PLAIN: Obj = {"containers": [{"name": "a", "image": "nginx"}]}
TEMPLATES: dict[str, Obj] = {"plain": PLAIN, "rich": yaml.safe_load(RICH)}


def deployment(name: str, spec: Obj) -> Obj:
    template = {"metadata": {"labels": {"app": name}, "annotations": {"note": 'ü "quoted" <&>'}}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template},
    }


def dry_run(cluster: ClusterUnderTest, namespace: str, wanted: Obj) -> str:
    options = ("--dry-run=server", "-n", namespace, "-f", "-", "-o", "json")
    return cluster.kubectl("create", *options, stdin=json.dumps(wanted))


async def test_the_hash_is_that_of_the_real_controller(
    engines: Engines, cluster: ClusterUnderTest, namespace: str
) -> None:
    for name, spec in TEMPLATES.items():
        cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(deployment(name, spec)))
        await cluster.until("--for=condition=Progressing", f"deployment/{name}", "-n", namespace)
        live = json.loads(cluster.kubectl("get", "deployment", name, "-n", namespace, "-o", "json"))
        sets = json.loads(cluster.kubectl("get", "rs", "-n", namespace, "-l", f"app={name}", "-o", "json"))["items"]
        expected = {each["metadata"]["labels"]["pod-template-hash"] for each in sets}
        found = await pods.template_hash(engines, json.dumps(live["spec"]["template"]).encode())
        assert {found} == expected


async def test_defaults_are_those_of_the_real_api_server(
    engines: Engines, cluster: ClusterUnderTest, namespace: str
) -> None:
    for name, spec in TEMPLATES.items():
        wanted = deployment(name, spec)
        text = cluster.kubectl(
            "create", "--dry-run=server", "-n", namespace, "-f", "-", "-o", "json", stdin=json.dumps(wanted)
        )
        expected = json.loads(text)["spec"]["template"]
        found = json.loads(await pods.with_defaults(engines, json.dumps(wanted["spec"]["template"]).encode()))
        assert found["spec"] == expected["spec"]


def fnv32a(data: bytes) -> int:
    found = 0x811C9DC5
    for byte in data:
        found = (found ^ byte) * 0x01000193 % 2**32
    return found


def safe(number: int) -> str:
    letters = "bcdfghjklmnpqrstvwxz2456789"
    return "".join(letters[ord(digit) % len(letters)] for digit in str(number))


CONTAINER = b'"spec":{"containers":[{"name":"a","image":"b","resources":{}}]}}'
NEW = b'{"metadata":{"labels":{"app":"x"}},' + CONTAINER
OLD = b'{"metadata":{"creationTimestamp":null,"labels":{"app":"x"}},' + CONTAINER


HASHED = [(False, None, NEW), (True, None, OLD), (False, 3, NEW), (True, 0, OLD)]


@pytest.mark.parametrize(("legacy", "collisions", "text"), HASHED)
async def test_a_rollouts_hash_is_that_of_the_templates_json(
    engines: Engines, legacy: bool, collisions: int | None, text: bytes
) -> None:
    template = json.dumps({"spec": {"containers": [{"image": "b", "name": "a"}]}, "metadata": {"labels": {"app": "x"}}})
    suffix = b"" if collisions is None else collisions.to_bytes(8, "little")
    found = await pods.rollout_hash(engines, template.encode(), collisions, legacy=legacy)
    assert found == safe(fnv32a(text + suffix))


async def test_a_collision_changes_the_hash(engines: Engines) -> None:
    template = json.dumps({"spec": TEMPLATES["plain"]}).encode()
    plain = await pods.template_hash(engines, template)
    assert await pods.template_hash(engines, template, 0) not in {plain, await pods.template_hash(engines, template, 1)}
    assert await pods.rollout_hash(engines, template) != await pods.rollout_hash(engines, template, 1)


@pytest.mark.parametrize("name", TEMPLATES)
async def test_hashes_are_stable_and_do_not_depend_on_the_order_of_keys(engines: Engines, name: str) -> None:
    template = {"metadata": {"labels": {"b": "1", "a": "2"}}, "spec": TEMPLATES[name]}
    turned = {"spec": dict(reversed(TEMPLATES[name].items())), "metadata": {"labels": {"a": "2", "b": "1"}}}
    for hashed in (pods.template_hash, pods.rollout_hash):
        first = await hashed(engines, json.dumps(template).encode())
        assert first == await hashed(engines, json.dumps(turned).encode())
        assert set(first) <= set("bcdfghjklmnpqrstvwxz2456789")


WRONG: dict[str, tuple[Obj, str]] = {
    "no containers": ({"containers": []}, "spec.template.spec.containers"),
    "name": ({"containers": [{"name": "A_", "image": "x"}]}, "spec.template.spec.containers[0].name"),
    "image": ({"containers": [{"name": "a"}]}, "spec.template.spec.containers[0].image"),
    "port": (
        {"containers": [{"name": "a", "image": "x", "ports": [{"containerPort": 99999}]}]},
        "spec.template.spec.containers[0].ports[0].containerPort",
    ),
    "twice": (
        {"containers": [{"name": "a", "image": "x"}, {"name": "a", "image": "x"}]},
        "spec.template.spec.containers[1].name",
    ),
    "mount": (
        {"containers": [{"name": "a", "image": "x", "volumeMounts": [{"name": "none", "mountPath": "/x"}]}]},
        "spec.template.spec.containers[0].volumeMounts[0].name",
    ),
    "limits": (
        {"containers": [{"name": "a", "image": "x", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}]},
        "spec.template.spec.containers[0].resources.requests",
    ),
    "policy": (
        {"restartPolicy": "Sometimes", "containers": [{"name": "a", "image": "x"}]},
        "spec.template.spec.restartPolicy",
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_refusals_are_those_of_the_real_api_server(
    engines: Engines, cluster: ClusterUnderTest, namespace: str, name: str
) -> None:
    spec, field = WRONG[name]
    template = {"metadata": {"labels": {"app": "x"}}, "spec": spec}
    problems = await pods.problems(engines, json.dumps(template).encode())
    assert field in {each.field for each in problems}
    with pytest.raises(Exception, match="is invalid") as refused:
        cluster.kubectl(
            "create", "--dry-run=server", "-n", namespace, "-f", "-", stdin=json.dumps(deployment("x", spec))
        )
    assert all(each.field in str(refused.value) for each in problems)


async def test_a_good_template_has_no_problems(engines: Engines) -> None:
    for spec in TEMPLATES.values():
        template = json.dumps({"metadata": {"labels": {"app": "x"}}, "spec": spec}).encode()
        assert await pods.problems(engines, template) == []


@pytest.mark.parametrize(
    "template", [b"[]", b"{", b'{"spec": {"containers": 5}}', b'{"spec": {"replicas": "x", "containers": {}}}']
)
async def test_another_shape_is_refused(engines: Engines, template: bytes) -> None:
    with pytest.raises(EngineError, match="pod template can't be read") as caught:
        await pods.template_hash(engines, template)
    assert caught.value.reason == "TemplateInvalid"
