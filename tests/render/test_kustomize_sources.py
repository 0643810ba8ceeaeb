"""Kustomize sources through the whole service and the real engine: every option of `spec.source.kustomize`."""

from typing import Any

import pytest

from shared.events import RequestError
from tests.render.service import Service
from tests.render.tools import Content, Link, config_map

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: "example/web:1.0"}
"""


PATCH = '[{"op": "replace", "path": "/spec/replicas", "value": 9}]'


def app(kustomization: str = "resources: [deployment.yaml]\n", **files: str) -> dict[str, Content]:
    return {
        "app/kustomization.yaml": kustomization,
        "app/deployment.yaml": DEPLOYMENT,
        **{path.replace("__", "/") + ".yaml": content for path, content in files.items()},
    }


async def test_a_kustomization_is_built_as_it_is(service: Service) -> None:
    answer = await service.rendered(app("resources: [deployment.yaml]\nnamespace: shop\nnamePrefix: a-\n"))
    assert answer.names == ["a-web"]
    assert answer.objects[0]["metadata"]["namespace"] == "shop"
    assert answer.reply.sources[0].source_type == "Kustomize"


async def test_bases_outside_the_application_are_inputs(service: Service) -> None:
    files = app("resources: [../base]\n")
    files |= {"base/kustomization.yaml": "resources: [config.yaml]\n", "base/config.yaml": config_map("from-base")}
    answer = await service.rendered(files)
    assert answer.names == ["from-base"]
    assert "app/" in answer.inputs
    assert {"base/kustomization.yaml", "base/config.yaml"} <= {*answer.inputs} or "base/" in answer.inputs


@pytest.mark.parametrize(
    ("options", "path", "expected"),
    [
        ({"namePrefix": "p-"}, "metadata.name", "p-web"),
        ({"nameSuffix": "-s"}, "metadata.name", "web-s"),
        ({"namespace": "other"}, "metadata.namespace", "other"),
        ({"images": ["example/web:2.0"]}, "spec.template.spec.containers.0.image", "example/web:2.0"),
        ({"images": ["example/web=new/web:3.0"]}, "spec.template.spec.containers.0.image", "new/web:3.0"),
        ({"replicas": [{"name": "web", "count": 5}]}, "spec.replicas", 5),
        ({"replicas": [{"name": "web", "count": "6"}]}, "spec.replicas", 6),
        ({"commonLabels": {"team": "shop"}}, "spec.selector.matchLabels.team", "shop"),
        ({"commonLabels": {"team": "shop"}, "labelWithoutSelector": True}, "metadata.labels.team", "shop"),
        (
            {"commonLabels": {"t": "x"}, "labelWithoutSelector": True, "labelIncludeTemplates": True},
            "spec.template.metadata.labels.t",
            "x",
        ),
        ({"commonAnnotations": {"note": "$ARGOCD_APP_NAME"}}, "metadata.annotations.note", "$ARGOCD_APP_NAME"),
        (
            {"commonAnnotations": {"note": "$ARGOCD_APP_NAME"}, "commonAnnotationsEnvsubst": True},
            "metadata.annotations.note",
            "guestbook",
        ),
        ({"patches": [{"patch": PATCH, "target": {"kind": "Deployment"}}]}, "spec.replicas", 9),
        ({"patches": [{"path": "patch.yaml"}]}, "spec.replicas", 7),
    ],
)
async def test_an_option_changes_the_result(
    service: Service, options: dict[str, Any], path: str, expected: Any
) -> None:
    patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 7}\n"
    answer = await service.rendered(app(app__patch=patch), kustomize=options)
    found: Any = answer.objects[0]
    for step in path.split("."):
        found = found[int(step)] if step.isdigit() else found[step]
    assert found == expected


async def test_labels_without_selectors_leave_the_selector_alone(service: Service) -> None:
    options = {"commonLabels": {"team": "shop"}, "labelWithoutSelector": True}
    answer = await service.rendered(app(), kustomize=options)
    assert answer.objects[0]["spec"]["selector"]["matchLabels"] == {"app": "web"}


async def test_an_existing_label_is_only_replaced_by_force(service: Service) -> None:
    files = app("resources: [deployment.yaml]\ncommonLabels: {team: old}\ncommonAnnotations: {note: old}\n")
    forced = {
        "commonLabels": {"team": "new"},
        "forceCommonLabels": True,
        "commonAnnotations": {"note": "new"},
        "forceCommonAnnotations": True,
    }
    metadata = (await service.rendered(files, kustomize=forced)).objects[0]["metadata"]
    assert (metadata["labels"]["team"], metadata["annotations"]["note"]) == ("new", "new")
    for option in ("commonLabels", "commonAnnotations"):
        with pytest.raises(RequestError) as failure:
            await service.rendered(files, kustomize={option: {"team": "new", "note": "new"}})
        assert failure.value.reason == "KustomizeFailed"


async def test_components_are_added_and_missing_ones_may_be_ignored(service: Service) -> None:
    component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: c-\n"
    files = {**app(), "component/kustomization.yaml": component}
    options: dict[str, Any] = {"components": ["../component", "../nothing"]}
    with pytest.raises(RequestError):
        await service.rendered(files, kustomize=options)
    options["ignoreMissingComponents"] = True
    answer = await service.rendered(files, kustomize=options)
    assert answer.names == ["c-web"]


async def test_build_options_of_the_settings_are_used(service: Service) -> None:
    files = app("resources: [../shared/config.yaml]\n")
    files["shared/config.yaml"] = config_map("outside")
    with pytest.raises(RequestError) as failure:
        await service.rendered(files)
    assert failure.value.reason == "KustomizeFailed"
    settings = {"kustomize.buildOptions": "--load-restrictor LoadRestrictionsNone"}
    assert (await service.rendered(files, request={"settings": settings})).names == ["outside"]


async def test_options_that_would_run_programs_have_no_effect_and_that_is_said(service: Service) -> None:
    settings = {"kustomize.buildOptions": "--enable-helm --reorder=legacy"}
    answer = await service.rendered(app(), request={"settings": settings})
    assert answer.names == ["web"]
    assert "--enable-helm has no effect" in answer.reply.warnings[0]


async def test_the_same_commit_renders_the_same_after_edits(service: Service) -> None:
    service.commit(app())
    await service.render(service.source(kustomize={"namePrefix": "p-"}))
    assert (await service.render(service.source())).names == ["web"]


@pytest.mark.parametrize(
    "resource",
    ["https://github.com/example/repo//base?ref=v1", "github.com/example/repo", "https://example.org/a.yaml"],
)
async def test_remote_bases_are_refused_with_the_way_out(service: Service, resource: str) -> None:
    with pytest.raises(RequestError) as failure:
        await service.rendered(app(f"resources: ['{resource}']\n"))
    assert failure.value.reason == "KustomizeFailed"


@pytest.mark.parametrize("resource", ["../../../etc", "/etc/passwd", "../../etc/passwd"])
async def test_resources_outside_the_repository_are_refused(service: Service, resource: str) -> None:
    settings = {"kustomize.buildOptions": "--load-restrictor LoadRestrictionsNone"}
    with pytest.raises(RequestError) as failure:
        await service.rendered(app(f"resources: ['{resource}']\n"), request={"settings": settings})
    assert failure.value.reason in ("KustomizeFailed", "PathEscapesRepository")
    assert "root:" not in failure.value.message


async def test_a_link_to_the_machine_is_refused(service: Service) -> None:
    files = {**app("resources: [evil.yaml]\n"), "app/evil.yaml": Link("/etc/passwd")}
    with pytest.raises(RequestError) as failure:
        await service.rendered(files)
    assert failure.value.reason == "PathEscapesRepository"


async def test_programs_named_in_a_kustomization_are_not_run(service: Service) -> None:
    plugin = """\
apiVersion: v1
kind: Thing
metadata:
  name: evil
  annotations:
    config.kubernetes.io/function: |
      exec: {path: /bin/true}
"""
    files = {**app("resources: [deployment.yaml]\ngenerators: [evil.yaml]\n"), "app/evil.yaml": plugin}
    settings = {"kustomize.buildOptions": "--enable-alpha-plugins --enable-exec"}
    with pytest.raises(RequestError) as failure:
        await service.rendered(files, request={"settings": settings})
    assert failure.value.reason == "KustomizeFailed"


async def test_a_broken_kustomization_is_said(service: Service) -> None:
    with pytest.raises(RequestError, match="invalid Kustomization") as failure:
        await service.rendered(app("resources: [\n"))
    assert failure.value.reason == "KustomizeFailed"
