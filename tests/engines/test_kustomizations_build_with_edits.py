"""`kustomize build` with Argo CD's edits: every field, the force options, overlays, patches, components, refusals."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from shared.engines import kustomize
from shared.engines.client import Engines
from shared.engines.errors import EngineError
from shared.engines.files import InMemory

DEPLOYMENT = b"""apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: a, image: 'nginx:1.0'}
      - {name: b, image: 'registry.example.com:5000/team/tool@sha256:aaaa'}
"""
CONFIG = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {k: v}\n"


def folder(kustomization: Mapping[str, Any] | None = None, more: Mapping[str, bytes] | None = None) -> InMemory:
    text = json.dumps({"resources": ["d.yaml", "c.yaml"], **(kustomization or {})}).encode()
    files = {"app/kustomization.yaml": text, "app/d.yaml": DEPLOYMENT, "app/c.yaml": CONFIG}
    return InMemory({**files, **(more or {})})


async def built(engines: Engines, files: InMemory, path: str = "app", **options: Any) -> dict[str, dict[str, Any]]:
    """The objects by kind."""
    found = [json.loads(data) for data in await kustomize.build(engines, files, path, **options)]
    return {each["kind"]: each for each in found}


async def edited(
    engines: Engines, edits: dict[str, Any], kustomization: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return (await built(engines, folder(kustomization), edits=edits))["Deployment"]


async def test_without_edits_a_folder_is_built_as_it_is(engines: Engines) -> None:
    found = await built(engines, folder())
    assert found["Deployment"] == yaml.safe_load(DEPLOYMENT)
    assert found["ConfigMap"] == yaml.safe_load(CONFIG)


async def test_names_and_namespace(engines: Engines) -> None:
    found = await edited(engines, {"namePrefix": "p-", "nameSuffix": "-s", "namespace": "ns"}, {"namePrefix": "old-"})
    assert found["metadata"] == {"name": "p-web-s", "namespace": "ns"}


@pytest.mark.parametrize(
    ("images", "known", "a", "b"),
    [
        (["nginx:2.0"], [], "nginx:2.0", "registry.example.com:5000/team/tool@sha256:aaaa"),
        (["nginx=other"], [], "other:1.0", None),
        (["nginx=other:3"], [], "other:3", None),
        (["nginx=host:5000/other:3"], [], "host:5000/other:3", None),
        (["nginx=host:5000/other"], [], "host:5000/other:1.0", None),
        (["nginx@sha256:bbbb"], [], "nginx@sha256:bbbb", None),
        (["nginx=other@sha256:bbbb"], [], "other@sha256:bbbb", None),
        (["registry.example.com:5000/team/tool:9"], [], None, "registry.example.com:5000/team/tool:9"),
        (["nginx=*:7"], [{"name": "nginx", "newName": "kept"}], "kept:7", None),
        (["nginx=new:*"], [{"name": "nginx", "newTag": "5"}], "new:5", None),
        (["nginx:2"], [{"name": "nginx", "newName": "lost", "newTag": "5"}], "nginx:2", None),
        (["absent:2"], [], "nginx:1.0", None),
        (["nginx=*:8"], [], "nginx:8", None),
        (["nginx=new:*"], [], "new:1.0", None),
        (["nginx:3", "nginx=last"], [{"name": "nginx", "newTag": "5"}], "last:1.0", None),
        (["nginx:3@sha256:cccc"], [], "nginx:3@sha256:cccc", None),
    ],
)
async def test_images_are_overridden_by_name(
    engines: Engines, images: list[str], known: list[dict[str, str]], a: str | None, b: str | None
) -> None:
    containers = (await edited(engines, {"images": images}, {"images": known}))["spec"]["template"]["spec"][
        "containers"
    ]
    assert containers[0]["image"] == (a or "nginx:1.0")
    assert containers[1]["image"] == (b or "registry.example.com:5000/team/tool@sha256:aaaa")


@pytest.mark.parametrize("image", ["", "nginx", "=x", "reg.example.com:5000/x"])
async def test_an_image_that_says_nothing_is_refused(engines: Engines, image: str) -> None:
    with pytest.raises(EngineError, match="name=new-name:tag"):
        await edited(engines, {"images": [image]})


async def test_replicas_are_set_over_those_of_the_kustomization(engines: Engines) -> None:
    found = await edited(
        engines, {"replicas": [{"name": "web", "count": 5}]}, {"replicas": [{"name": "web", "count": 3}]}
    )
    assert found["spec"]["replicas"] == 5


async def test_common_labels_reach_selectors_and_templates(engines: Engines) -> None:
    spec = (await edited(engines, {"commonLabels": {"team": "x"}}))["spec"]
    assert spec["selector"]["matchLabels"] == {"app": "web", "team": "x"}
    assert spec["template"]["metadata"]["labels"] == {"app": "web", "team": "x"}


@pytest.mark.parametrize("templates", [True, False])
async def test_labels_without_selector(engines: Engines, templates: bool) -> None:
    edits = {"commonLabels": {"team": "x"}, "labelWithoutSelector": True, "labelIncludeTemplates": templates}
    found = await edited(engines, edits)
    assert found["metadata"]["labels"] == {"team": "x"}
    assert found["spec"]["selector"]["matchLabels"] == {"app": "web"}
    assert ("team" in found["spec"]["template"]["metadata"]["labels"]) is templates


@pytest.mark.parametrize(
    ("field", "force", "what"),
    [("commonLabels", "forceCommonLabels", "label"), ("commonAnnotations", "forceCommonAnnotations", "annotation")],
)
async def test_what_the_kustomization_has_is_replaced_only_by_force(
    engines: Engines, field: str, force: str, what: str
) -> None:
    kustomization = {field: {"team": "old"}}
    with pytest.raises(EngineError, match=f"{what} team already in kustomization file"):
        await edited(engines, {field: {"team": "new"}}, kustomization)
    found = await edited(engines, {field: {"team": "new"}, force: True}, kustomization)
    assert found["metadata"][what + "s"] == {"team": "new"}


async def test_annotations_reach_templates(engines: Engines) -> None:
    found = await edited(engines, {"commonAnnotations": {"a/b": "1"}})
    assert found["metadata"]["annotations"] == {"a/b": "1"}
    assert found["spec"]["template"]["metadata"]["annotations"] == {"a/b": "1"}


async def test_patches_are_inline_or_files_with_targets_and_options(engines: Engines) -> None:
    operations = [
        {"op": "replace", "path": "/spec/replicas", "value": 7},
        {"op": "replace", "path": "/metadata/name", "value": "n"},
    ]
    target = {"kind": "Deployment", "name": "we.*"}
    by_operations = {"patch": json.dumps(operations), "target": target, "options": {"allowNameChange": True}}
    edits = {"patches": [by_operations, {"path": "p.yaml"}]}
    patch = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {more: 'yes'}\n"
    found = await built(engines, folder(None, {"app/p.yaml": patch}), edits=edits)
    assert (found["Deployment"]["spec"]["replicas"], found["Deployment"]["metadata"]["name"]) == (7, "n")
    assert found["ConfigMap"]["data"] == {"k": "v", "more": "yes"}


async def test_components_are_added(engines: Engines) -> None:
    component = b"apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: c-\n"
    files = folder(None, {"parts/c/kustomization.yaml": component})
    found = await built(engines, files, edits={"components": ["../parts/c"]})
    assert found["Deployment"]["metadata"]["name"] == "c-web"


async def test_a_missing_component_is_named(engines: Engines) -> None:
    with pytest.raises(EngineError, match=r"parts/none"):
        await edited(engines, {"components": ["../parts/none"]})


async def test_overlays_build_on_bases_and_edits_touch_only_the_overlay(engines: Engines) -> None:
    files = folder(None, {"env/prod/kustomization.yml": b"resources: [../../app]\nnamespace: prod\n"})
    found = await built(engines, files, "env/prod", edits={"namePrefix": "prod-"})
    assert found["Deployment"]["metadata"] == {"name": "prod-web", "namespace": "prod"}
    assert (await built(engines, files))["Deployment"]["metadata"] == {"name": "web"}


async def test_generators_hash_their_content_and_references_follow(engines: Engines) -> None:
    kustomization = {
        "configMapGenerator": [{"name": "gen", "files": ["x.txt"], "literals": ["a=b"]}],
        "resources": ["d.yaml"],
    }
    found = await built(engines, folder(kustomization, {"app/x.txt": b"text"}))
    assert found["ConfigMap"]["metadata"]["name"].startswith("gen-")
    assert found["ConfigMap"]["data"] == {"x.txt": "text", "a": "b"}


async def test_replacements_and_crd_free_kinds_pass_through(engines: Engines) -> None:
    rule = {
        "source": {"kind": "ConfigMap", "name": "settings", "fieldPath": "data.k"},
        "targets": [{"select": {"kind": "Deployment"}, "fieldPaths": ["spec.template.metadata.labels.app"]}],
    }
    found = await built(engines, folder({"replacements": [rule]}))
    assert found["Deployment"]["spec"]["template"]["metadata"]["labels"]["app"] == "v"


async def test_files_outside_the_folder_need_the_load_restrictor_off(engines: Engines) -> None:
    files = InMemory({"app/kustomization.yaml": b"resources: [../shared/c.yaml]", "shared/c.yaml": CONFIG})
    with pytest.raises(EngineError, match="security; file"):
        await kustomize.build(engines, files, "app")
    for option in (["--load-restrictor", "LoadRestrictionsNone"], ["--load-restrictor=LoadRestrictionsNone"]):
        assert "ConfigMap" in await built(engines, files, options=option)


async def test_build_options_for_order_and_label(engines: Engines) -> None:
    options = ["--reorder", "legacy", "--enable-managedby-label"]
    found = await kustomize.build(engines, folder(), "app", options=options)
    assert [json.loads(each)["kind"] for each in found] == ["ConfigMap", "Deployment"]
    assert json.loads(found[0])["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "kustomize-v5.8.1"}


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
async def test_every_name_of_a_kustomization_is_known(engines: Engines, name: str) -> None:
    files = InMemory({f"a/{name}": b"resources: [c.yaml]", "a/c.yaml": CONFIG})
    assert (await built(engines, files, "a", edits={"namePrefix": "p-"}))["ConfigMap"]["metadata"][
        "name"
    ] == "p-settings"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"resources: [none.yaml]", "none.yaml"),
        (b"resources: [", "invalid Kustomization"),
        (b"unknownField: 1", "unknownField"),
        (b"resources: [c.yaml, c.yaml]", "may not add resource with an already registered id"),
        (b"resources: [.]", "cycle"),
        (b"namePrefix: 5\nresources: [c.yaml]", "namePrefix"),
    ],
)
async def test_a_broken_kustomization_is_refused_with_words(engines: Engines, text: bytes, words: str) -> None:
    files = InMemory({"a/kustomization.yaml": text, "a/c.yaml": CONFIG})
    with pytest.raises(EngineError) as caught:
        await kustomize.build(engines, files, "a")
    assert caught.value.reason == "KustomizeFailed"
    assert words in caught.value.message
    assert "/repository" not in caught.value.message


async def test_two_builds_in_a_row_do_not_touch_each_other(engines: Engines) -> None:
    plain = await kustomize.build(engines, folder(), "app")
    for number in range(20):
        await kustomize.build(engines, folder({"nameSuffix": f"-{number}"}), "app", edits={"namespace": f"n{number}"})
    assert await kustomize.build(engines, folder(), "app") == plain
