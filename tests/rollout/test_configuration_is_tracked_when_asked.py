"""A Rollout that asks for it is rolled out anew when a ConfigMap or Secret of its pods changes; git never sees it."""

import base64
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
import yaml

from services.cli.rollout import control
from services.rollout_manager.configs import KEY, digest, key_of
from services.rollout_manager.keys import Ref
from services.rollout_manager.tracking import CONFIG, TRACK, carrying, changed, entries, references, without
from services.rollout_manager.validate import problems
from shared.kinds.rollout import Rollout
from shared.kinds.wire import InvalidObject
from shared.kube import verbs
from tests.rollout.managed import Managed
from tests.rollout.rollouts import Obj, canary, rollout

MAP, SECRET = Ref("", "ConfigMap", "test", "app"), Ref("", "Secret", "test", "db")


def uses(*names: tuple[str, str]) -> Obj:
    """A template whose container takes its environment of these."""
    fields = {"ConfigMap": "configMapRef", "Secret": "secretRef"}
    template: Obj = rollout({})["spec"]["template"]
    template["spec"]["containers"][0]["envFrom"] = [{fields[kind]: {"name": name}} for kind, name in names]
    return template


def test_everything_that_a_template_uses_is_found() -> None:
    spec = {
        "containers": [
            {
                "env": [
                    {"name": "a", "valueFrom": {"configMapKeyRef": {"name": "env", "key": "k"}}},
                    {"name": "b", "valueFrom": {"secretKeyRef": {"name": "env", "key": "k"}}},
                    {"name": "c", "value": "plain"},
                ],
                "envFrom": [{"configMapRef": {"name": "from"}}, {"secretRef": {"name": "from"}}],
            }
        ],
        "initContainers": [{"envFrom": [{"configMapRef": {"name": "init"}}]}],
        "volumes": [
            {"configMap": {"name": "volume"}},
            {"secret": {"secretName": "volume"}},
            {"projected": {"sources": [{"configMap": {"name": "part"}}, {"secret": {"name": "part"}}]}},
            {"emptyDir": {}},
        ],
    }
    found = {(ref.kind, ref.name) for ref in references({"spec": spec}, "test")}
    both = {(kind, name) for kind in ("ConfigMap", "Secret") for name in ("env", "from", "volume", "part")}
    assert found == {*both, ("ConfigMap", "init")}


@pytest.mark.parametrize(
    "spec", [None, [], {"containers": {}}, {"containers": [1, {"env": "x", "envFrom": [[]]}], "volumes": [None, "x"]}]
)
def test_a_template_of_no_shape_uses_nothing(spec: object) -> None:
    assert references({"spec": spec}, "test") == frozenset()
    assert carrying({"metadata": None, "spec": spec}, {}, {}) == {"metadata": None, "spec": spec}


def test_a_template_carries_what_it_uses_and_is_given_back_without() -> None:
    plain = uses(("ConfigMap", "app"), ("Secret", "db"))
    made = carrying(plain, {MAP: "1a", SECRET: "2b"}, {})
    assert made["metadata"]["annotations"] == {CONFIG: "ConfigMap/app=1a,Secret/db=2b"}
    assert (without(made), CONFIG in str(plain)) == (plain, False)
    assert changed(made, carrying(plain, {MAP: "1a", SECRET: "3c"}, {})) == "Secret db"
    assert carrying(made, {}, {}) == plain


def test_what_was_deleted_counts_as_it_was() -> None:
    plain = uses(("ConfigMap", "app"))
    before = entries(carrying(plain, {MAP: "1a"}, {}))
    assert entries(carrying(plain, {MAP: None}, before)) == before
    assert entries(carrying(plain, {MAP: None}, {})) == {}


def secret(value: str, **annotations: str) -> bytes:
    metadata = {"name": "db", "namespace": "test", "resourceVersion": value, "annotations": annotations}
    return orjson.dumps({"metadata": metadata, "data": {"password": base64.b64encode(value.encode()).decode()}})


def test_a_digest_needs_the_key_and_counts_values_alone() -> None:
    assert digest(b"key", secret("a")) != digest(b"key", secret("b"))
    assert digest(b"key", secret("a")) != digest(b"another", secret("a"))
    assert digest(b"key", secret("a", touched="yes")) == digest(b"key", secret("a"))
    assert digest(b"key", secret("a", **{TRACK: "false"})) == ""


def test_a_key_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidObject, match="delete it"):
        key_of({"metadata": {"namespace": "a"}, "data": {"key": ""}})


def test_only_true_and_false_can_be_meant() -> None:
    obj = rollout(canary())
    obj["metadata"]["annotations"] = {TRACK: "yes"}
    assert TRACK in "".join(problems(Rollout.parse(obj)))


async def test_a_new_value_is_a_new_revision_and_the_old_value_the_old_one(managed: Managed) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app"}, "data": {"level": "info"}}
    login = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"password": "first"}}
    for obj in (config, login):
        await managed.apply(obj)
    wanted = rollout(canary({"setWeight": 50}, {"pause": {}}), replicas=2)
    wanted["metadata"]["annotations"] = {TRACK: "true"}
    wanted["spec"]["template"] = uses(("ConfigMap", "app"), ("Secret", "db"))
    await managed.apply(wanted)
    first = await managed.until_phase("Healthy")
    await managed.patch({"metadata": {"labels": {"touched": "yes"}}}, kind="ConfigMap", name="app")
    await managed.patch({"stringData": {"password": "second"}}, kind="Secret", name="db")
    paused = await managed.until_phase("Paused", currentStepIndex=1)
    assert paused["spec"]["template"] == first["spec"]["template"]
    assert paused["metadata"]["generation"] == first["metadata"]["generation"]
    sets = {one["metadata"]["labels"]["rollouts-pod-template-hash"]: one for one in await managed.list("ReplicaSet")}
    old, new = (sets[obj["status"]["currentPodHash"]]["spec"]["template"] for obj in (first, paused))
    assert changed(old, new) == "Secret db"
    assert base64.b64decode((await managed.get("Secret", KEY))["data"]["key"]) != b""
    assert CONFIG not in str(control.undo(paused, list(sets.values()), 1))
    await managed.delete("ConfigMap", "app")
    await managed.patch({"stringData": {"password": "first"}}, kind="Secret", name="db")
    back = await managed.until_phase("Healthy")
    assert back["status"]["currentPodHash"] == first["status"]["currentPodHash"]
    assert len(await managed.list("ReplicaSet")) == 2


RIGHTS: list[Obj] = [
    {"apiGroups": ["argoproj.io", "apps", "discovery.k8s.io", "events.k8s.io"], "resources": ["*"], "verbs": ["*"]},
    {"apiGroups": [""], "resources": ["namespaces", "services", "configmaps", "events", "pods"], "verbs": ["*"]},
]
SECRETS: Obj = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "create", "list", "watch"]}
RBAC = "rbac.authorization.k8s.io"


async def grant(managed: Managed, *rules: Obj) -> None:
    role = {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": {"name": "manager"}, "rules": list(rules)}
    await managed.apply(role)


async def restricted(managed: Managed, folder: Path) -> Managed:
    """The same namespace, for a manager that has a ServiceAccount's rights and no others."""
    account = {"kind": "ServiceAccount", "name": "manager", "namespace": managed.namespace}
    await managed.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "manager"}})
    binding: Obj = {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": {"name": "manager"}}
    binding |= {"subjects": [account], "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "manager"}}
    await managed.apply(binding)
    resource = await managed.discovery.resource("", "ServiceAccount")
    asked: Obj = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    asked["metadata"] = {"name": "manager", "namespace": managed.namespace}
    token = await verbs.create(managed.cluster, resource, asked, subresource="token", name="manager")
    config = yaml.safe_load(managed.kubeconfig.read_text())
    config["users"] = [{**one, "user": {"token": token["status"]["token"]}} for one in config["users"]]
    path = folder / "restricted.yaml"
    path.write_text(yaml.safe_dump(config))
    return replace(managed, kubeconfig=path)


async def test_a_missing_right_is_said_and_nothing_happens_until_it_is_there(
    unmanaged: Managed, tmp_path: Path
) -> None:
    await grant(unmanaged, *RIGHTS)
    login = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"password": "first"}}
    await unmanaged.apply(login)
    wanted = rollout(canary(), replicas=1)
    wanted["metadata"]["annotations"] = {TRACK: "true"}
    wanted["spec"]["template"] = uses(("Secret", "db"))
    async with (await restricted(unmanaged, tmp_path)).run():
        await unmanaged.apply(wanted)
        await unmanaged.until_event("ReconcileError", "secrets")
        assert await unmanaged.list("ReplicaSet") == []
        await grant(unmanaged, *RIGHTS, SECRETS)
        await unmanaged.until_phase("Healthy")
